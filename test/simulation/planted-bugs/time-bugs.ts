import { actor, decide, evolve, type PlantedBug } from './planted-bug.ts';

/** Expiry as a sequenced event, and a clock that may do what it likes. */
export const timeBugs: readonly PlantedBug[] = [
  {
    name: 'a command sees a hold that is due as open',
    breaks: 'I6',
    edits: [
      {
        file: actor,
        find: 'this.#expireDue(awake, nowMs);\n    const first',
        replace: 'const first',
      },
    ],
  },
  {
    name: 'a read shows a hold that is due as open',
    breaks: 'I6',
    edits: [
      {
        file: actor,
        find: 'this.#expireDue(awake, nowMs);\n        const reservation',
        replace: 'const reservation',
      },
    ],
  },
  {
    name: 'a hold ends a millisecond late',
    breaks: 'I6',
    edits: [
      {
        file: actor,
        find: 'while (awake.state.expiries.nextExpiryMs <= nowMs)',
        replace: 'while (awake.state.expiries.nextExpiryMs < nowMs)',
      },
    ],
  },
  {
    name: 'the clock going back is not held up, nor noticed',
    breaks: 'I6',
    edits: [
      {
        file: actor,
        find: 'return Math.max(this.#context.clock.nowMs(), state.lastAtMs);',
        replace: 'return this.#context.clock.nowMs();',
      },
      {
        file: decide,
        find: "assert(command.nowMs >= state.lastAtMs, 'time does not go back within a schedule');",
        replace: '',
      },
      {
        file: evolve,
        find: "assert(event.atMs >= state.lastAtMs, 'time does not go back within a schedule');",
        replace: '',
      },
    ],
  },
  {
    name: 'a hold that has ended is extended',
    breaks: 'I6',
    edits: [
      {
        file: decide,
        find: "if (reservation.status !== 'HELD') return refusalOf(reservation);\n  const latestMs",
        replace: 'const latestMs',
      },
      {
        file: evolve,
        find: "assert(reservation.status === 'HELD', 'only a hold is extended or paid');",
        replace: '',
      },
      {
        file: 'src/actors/allocator/expiry-queue.ts',
        find: "assert(this.#heap[hold.expiryIndex] === hold, 'only a queued hold is rescheduled');",
        replace: 'if (hold.expiryIndex === -1) return;',
      },
    ],
  },
  {
    name: 'a hold is extended for ever',
    breaks: 'terms',
    edits: [
      {
        file: decide,
        find: 'expiresAtMs: Math.min(wantedMs, latestMs),',
        replace: 'expiresAtMs: wantedMs,',
      },
    ],
  },
];
