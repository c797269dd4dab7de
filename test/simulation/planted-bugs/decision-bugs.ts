import { decide, evolve, freeSeats, type PlantedBug } from './planted-bug.ts';

/** Wrong decisions; where an assertion would catch one first, it is taken out as well. */
export const decisionBugs: readonly PlantedBug[] = [
  {
    name: 'a request gets those of its seats that are free',
    breaks: 'I10',
    edits: [
      {
        file: decide,
        find: 'if (!seats.every((seat) => state.holders[seat] === freeHolder)) {',
        replace: 'if (!seats.some((seat) => state.holders[seat] === freeHolder)) {',
      },
      {
        file: decide,
        find: 'return held(state, command, seats);\n}\n\nfunction decideHoldBest',
        replace: `return held(state, command, seats.filter((seat) => state.holders[seat] === freeHolder));
}

function decideHoldBest`,
      },
    ],
  },
  {
    name: 'a block takes seats that are held, and nothing notices',
    breaks: 'I1',
    edits: [
      { file: decide, find: 'if (conflicts.length > 0)', replace: 'if (conflicts.length > 1_000)' },
      {
        file: decide,
        find: 'const open = seats.filter((seat) => state.holders[seat] === freeHolder);',
        replace: 'const open = seats.filter((seat) => state.holders[seat] !== blockedHolder);',
      },
      {
        file: evolve,
        find: "assert(state.holders[seat] === from, 'I1: a seat has at most one live reservation');",
        replace: 'void from;',
      },
      {
        file: freeSeats,
        find: "assert(((word >>> (bit & 31)) & 1) === (wasFree ? 1 : 0), 'I1: a seat is taken once and released once');",
        replace: 'if (((word >>> (bit & 31)) & 1) !== (wasFree ? 1 : 0)) continue;',
      },
    ],
  },
  {
    name: 'the seats of a hold that has ended are not released',
    breaks: 'I9',
    edits: [
      {
        file: evolve,
        find: `  setHolders(state, reservation.seats, reservation.number, freeHolder);
  state.free.release(reservation.seats);`,
        replace: '',
      },
    ],
  },
  {
    name: 'a cancellation is carried out twice',
    breaks: 'no-bug-caught',
    edits: [
      {
        file: decide,
        find: `if (reservation.status === 'CANCELLED') return [];
  if (reservation.status !== 'HELD')`,
        replace: "if (reservation.status === 'EXPIRED')",
      },
    ],
  },
  {
    name: 'the orphan rule is ignored',
    breaks: 'terms',
    edits: [
      {
        file: decide,
        find: 'if (terms.orphanRule) {',
        replace: 'if (terms.orphanRule && seats.length > 9) {',
      },
    ],
  },
  {
    name: 'best available ignores the category',
    breaks: 'terms',
    edits: [
      { file: decide, find: 'return { category, section };', replace: 'return { category: -1, section };' },
    ],
  },
  {
    name: 'best available strands seats needlessly',
    breaks: 'terms',
    edits: [
      {
        file: 'src/actors/allocator/adjacent-seats.ts',
        find: 'const clean = search(map, free, quantity, filter, true);',
        replace: 'const clean = -1;',
      },
    ],
  },
  {
    name: 'the limit of seats counts those that have ended',
    breaks: 'I9',
    edits: [
      {
        file: evolve,
        find: 'countLiveSeats(state, reservation.userId, -reservation.seats.length);',
        replace: '',
      },
    ],
  },
  {
    name: 'a hall is sold out when no run is long enough',
    breaks: 'I9',
    edits: [
      {
        file: decide,
        find: "return hasFreeSeat(map, free, filter) ? { code: 'not-enough-adjacent-seats' } : { code: 'sold-out' };",
        replace: "return { code: 'sold-out' };",
      },
    ],
  },
  {
    name: 'anybody may cancel a hold',
    breaks: 'I2',
    edits: [
      {
        file: decide,
        find: 'return reservation?.userId === userId ? reservation : undefined;',
        replace: "return userId === '' ? undefined : reservation;",
      },
    ],
  },
  {
    name: 'a sale begins before its time',
    breaks: 'terms',
    edits: [
      {
        file: decide,
        find: `if (command.nowMs < terms.onSaleAtMs) return { code: 'not-on-sale', onSaleAtMs: terms.onSaleAtMs };
  const seats`,
        replace: 'const seats',
      },
    ],
  },
  {
    name: 'best available takes "none found" for the ideal place',
    breaks: 'terms',
    edits: [
      {
        file: 'src/actors/allocator/nearest-run.ts',
        find: 'if (high === -1) return low;',
        replace: 'if (high === -1 || low === ideal) return low;',
      },
    ],
  },
];
