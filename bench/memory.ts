/**
 * What a 50,000-seat schedule weighs beside the compiled hall that its venue's schedules share: the actor's
 * state and its availability view. A process of its own, run with --expose-gc; prints JSON.
 */
import { decide, isRejection } from '../src/actors/allocator/decide.ts';
import { evolve } from '../src/actors/allocator/evolve.ts';
import type { IdempotencyKey, UserId } from '../src/actors/allocator/ids.ts';
import { SeatMap } from '../src/actors/allocator/seat-map.ts';
import type { ScheduleState } from '../src/actors/allocator/state.ts';
import { AvailabilityView } from '../src/actors/runtime/availability-view.ts';
import { benchHall, benchLayout, benchState } from './bench-hall.ts';

export interface MemoryFigures {
  readonly hallBytes: number;
  readonly emptyScheduleBytes: number;
  readonly soldScheduleBytes: number;
}

const schedules = 4;
const reservations = 25_000;

const collect = (globalThis as { gc?: () => void }).gc;
if (collect === undefined) throw new Error('run with --expose-gc');

async function usedBytes(): Promise<number> {
  for (let i = 0; i < 8; i++) {
    collect?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function holdSeats(state: ScheduleState): void {
  for (let n = 0; n < reservations; n++) {
    const seat = `R${Math.floor(n / benchHall.seatsPerRow)}-${n % benchHall.seatsPerRow}`;
    const decision = decide(state, {
      kind: 'hold',
      nowMs: 1_700_000_000_000 + n,
      userId: `buyer-${n}@example.org` as UserId,
      seatIds: [seat],
      idempotency: { key: crypto.randomUUID() as string as IdempotencyKey, fingerprint: n * 7_919_313 },
    });
    if (isRejection(decision)) throw new Error(decision.code);
    for (const event of decision) evolve(state, event);
  }
}

const atStart = await usedBytes();
const map = new SeatMap(benchLayout());
const withHall = await usedBytes();
const actors = Array.from({ length: schedules }, () => {
  const state = benchState(map);
  return { state, view: new AvailabilityView(map, 0, (seat) => state.free.isFree(seat)) };
});
const whenEmpty = await usedBytes();
for (const { state } of actors) holdSeats(state);
const whenSold = await usedBytes();

const figures: MemoryFigures = {
  hallBytes: withHall - atStart,
  emptyScheduleBytes: (whenEmpty - withHall) / schedules,
  soldScheduleBytes: (whenSold - withHall) / schedules,
};
console.log(JSON.stringify(figures));
if (actors.length === 0) throw new Error('the schedules must stay reachable until here');
