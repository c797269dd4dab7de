import { actor, directory, type PlantedBug, restore } from './planted-bug.ts';

/** What is forgotten when an actor leaves memory and comes back, or is looked at meanwhile. */
export const recoveryBugs: readonly PlantedBug[] = [
  {
    name: 'remembered requests are not restored',
    breaks: 'I8',
    edits: [
      {
        file: restore,
        find: 'state.idempotency.remember(owner, { key: mark, fingerprint: memo.fingerprint }, memo);',
        replace: '',
      },
    ],
  },
  {
    name: 'blocked seats are not restored',
    breaks: 'I1',
    edits: [
      {
        file: restore,
        find: '  takeSeats(state, seats, blockedHolder);\n  state.seatCounts.blocked += seats.length;',
        replace: '  void [state, seats, blockedHolder];',
      },
    ],
  },
  {
    name: 'reservation numbers begin anew',
    breaks: 'I6',
    edits: [
      {
        file: restore,
        find: 'state.lastReservationNumber = position.lastReservationNumber;',
        replace: 'state.lastReservationNumber = state.reservations.size;',
      },
    ],
  },
  {
    name: 'the seats of a user are not counted after recovery',
    breaks: 'terms',
    edits: [
      {
        file: restore,
        find: 'state.liveSeatsOfUser.set(reservation.userId, live + count);',
        replace: 'void live;',
      },
    ],
  },
  {
    name: 'the last row of the journal is not read',
    breaks: 'I6',
    edits: [
      {
        file: 'src/actors/runtime/recovery.ts',
        find: 'for (const row of tail) evolve',
        replace: 'for (const row of tail.slice(0, -1)) evolve',
      },
    ],
  },
  {
    name: 'the expiry timer is not set after recovery',
    breaks: 'I13',
    edits: [
      {
        file: actor,
        find: '      this.#armExpiry(awake);\n      for (',
        replace: '      for (',
      },
    ],
  },
  {
    name: 'a recovery that failed is not tried again',
    breaks: 'I13',
    edits: [
      {
        file: actor,
        find: "'store-unavailable');\n      return this.#wakeLater();",
        replace: "'store-unavailable');\n      return;",
      },
    ],
  },
  {
    name: 'an actor goes to sleep over an open hold',
    breaks: 'I13',
    edits: [
      {
        file: actor,
        find: '(this.#awake === undefined || this.#awake.state.expiries.size === 0) &&\n',
        replace: '',
      },
    ],
  },
  {
    name: 'a start wakes nobody',
    breaks: 'I13',
    edits: [{ file: directory, find: 'this.#actor(scheduleId)?.wake();', replace: 'void scheduleId;' }],
  },
  {
    name: 'an audit that is refused lets commands into another one',
    breaks: 'I11',
    edits: [
      { file: actor, find: 'if (hasPaused) this', replace: "if (hasPaused || ready === 'overloaded') this" },
    ],
  },
];
