/**
 * The core's costs in nanoseconds: a decision with its evolve, and best available. A process of its own, so
 * that nothing else has trained the compiler; prints CoreFigures as JSON, a median per round.
 */
import { do_not_optimize, measure } from 'mitata';
import { anySeat, findAdjacentSeats } from '../src/actors/allocator/adjacent-seats.ts';
import type { HoldCommand } from '../src/actors/allocator/command.ts';
import { decide, isRejection } from '../src/actors/allocator/decide.ts';
import { evolve } from '../src/actors/allocator/evolve.ts';
import { FreeSeats } from '../src/actors/allocator/free-seats.ts';
import type { IdempotencyKey, UserId } from '../src/actors/allocator/ids.ts';
import { nearestRun } from '../src/actors/allocator/nearest-run.ts';
import { SeatMap } from '../src/actors/allocator/seat-map.ts';
import { benchHall, benchLayout, benchState } from './bench-hall.ts';

export type CoreFigures = Readonly<Record<string, readonly number[]>>;

const rounds = Number(process.env['BENCH_ROUNDS'] ?? 5);
const map = new SeatMap(benchLayout());
const seatName = (seat: number) =>
  `R${Math.floor(seat / benchHall.seatsPerRow)}-${seat % benchHall.seatsPerRow}`;

/** Every pair of neighbours in the hall, once. */
function holdCommands(withKeys: boolean): readonly HoldCommand[] {
  return Array.from({ length: map.seatCount / 2 }, (_, n) => ({
    kind: 'hold',
    nowMs: 1_700_000_000_000 + n,
    userId: `buyer-${n}` as UserId,
    seatIds: [seatName(2 * n), seatName(2 * n + 1)],
    ...(withKeys && { idempotency: { key: `key-${n}` as IdempotencyKey, fingerprint: n * 7_919_313 } }),
  }));
}

/** Sells the whole hall; nanoseconds a hold of two named seats, decided and evolved. */
function sellOut(commands: readonly HoldCommand[]): number {
  const state = benchState(map);
  const started = process.hrtime.bigint();
  for (const command of commands) {
    const decision = decide(state, command);
    if (isRejection(decision)) throw new Error(decision.code);
    for (const event of decision) evolve(state, event);
  }
  return Number(process.hrtime.bigint() - started) / commands.length;
}

/** Seats taken at random with a fixed seed (a linear congruential generator). */
function filled(share: number): FreeSeats {
  const free = new FreeSeats(map);
  let state = 7;
  for (let seat = 0; seat < map.seatCount; seat++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    if (state / 0x7fffffff < share) free.take([seat]);
  }
  return free;
}

async function median(work: () => number): Promise<number> {
  const { p50 } = await measure(() => do_not_optimize(work()), { inner_gc: false });
  return p50;
}

const figures: Record<string, number[]> = {};
const note = (name: string, value: number): void => {
  figures[name] = [...(figures[name] ?? []), value];
};

const plain = holdCommands(false);
const keyed = holdCommands(true);
for (let warmUp = 0; warmUp < 10; warmUp++) sellOut(warmUp % 2 === 0 ? plain : keyed);
const row = new Int32Array([-1, -1]);
const halls = [0, 0.5, 0.995].map((share) => ({ share, free: filled(share) }));
for (let round = 0; round < rounds; round++) {
  note('decision: hold of 2 named seats + evolve', sellOut(plain));
  note('the same with an idempotency key', sellOut(keyed));
  note(
    '4 adjacent seats in one row of 64',
    await median(() => nearestRun(row, undefined, 0, 2, 4, 64, true)),
  );
  for (const { share, free } of halls) {
    note(
      `best available, 4 of 50,000, ${share * 100} % full`,
      await median(() => findAdjacentSeats(map, free, 4, anySeat)),
    );
  }
}
console.log(JSON.stringify(figures satisfies CoreFigures));
