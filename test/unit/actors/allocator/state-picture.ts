import { adjacentSeatsMax } from '../../../../src/actors/allocator/free-seats.ts';
import type { ScheduleState } from '../../../../src/actors/allocator/state.ts';
import { keys, users } from './random-commands.ts';
import { mark, user } from './schedule-script.ts';

/** Everything about a state that anybody can observe, as plain values to compare. */
export function pictureOf(state: ScheduleState): object {
  const lengths = Array.from({ length: adjacentSeatsMax }, (_, index) => index + 1);
  return {
    position: [state.seq, state.lastAtMs, state.lastReservationNumber],
    holders: [...state.holders],
    freeWords: [...state.free.words],
    freeCount: state.free.count,
    fits: lengths.map((length) => [...state.free.blocksThatFit(length)]),
    fitsCleanly: lengths.map((length) => [...state.free.blocksThatFitCleanly(length)]),
    reservations: [...state.reservations.values()]
      .map(({ expiryIndex, ...reservation }) => ({ ...reservation, isQueued: expiryIndex !== -1 }))
      .sort((a, b) => a.number - b.number),
    ended: state.ended.numbers.slice(state.ended.dropped),
    expiries: state.expiries
      .due(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY)
      .map(({ number }) => number),
    remembered: users.flatMap((name) =>
      keys.map((key) => state.idempotency.find(user(name), mark(key), state.lastAtMs)),
    ),
    rememberedCount: state.idempotency.size,
    liveSeatsOfUser: [...state.liveSeatsOfUser].sort(),
    seatCounts: { ...state.seatCounts },
  };
}
