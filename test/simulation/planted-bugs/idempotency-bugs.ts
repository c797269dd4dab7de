import { evolve, firstAnswer, type PlantedBug } from './planted-bug.ts';

/** The first success of a key, again, and nothing else. */
export const idempotencyBugs: readonly PlantedBug[] = [
  {
    name: 'a key is answered whatever the body',
    breaks: 'I8',
    edits: [
      {
        file: firstAnswer,
        find: 'first.fingerprint !== memo.fingerprint',
        replace: 'first.fingerprint === -1',
      },
    ],
  },
  {
    name: 'a replay shows what has become of the reservation',
    breaks: 'I8',
    edits: [
      {
        file: 'src/actors/runtime/reservation-view.ts',
        find: "    status: 'HELD',\n    expiresAtMs: memo.expiresAtMs,\n    endedAtMs: 0,\n",
        replace: '',
      },
    ],
  },
  {
    name: 'a request is forgotten when its hold ends',
    breaks: 'I8',
    edits: [
      {
        file: firstAnswer,
        find: 'if (first === undefined) return undefined;',
        replace:
          "if (first === undefined || state.reservations.get(first.number)?.status !== 'HELD') return undefined;",
      },
    ],
  },
  {
    name: 'an extension is not remembered',
    breaks: 'I8',
    edits: [
      {
        file: evolve,
        find: 'state.idempotency.remember(reservation.userId, event.idempotency, {',
        replace: 'void ({',
      },
    ],
  },
];
