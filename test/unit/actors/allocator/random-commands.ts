import type { Command } from '../../../../src/actors/allocator/command.ts';
import type { IdempotencyMark } from '../../../../src/actors/allocator/event.ts';
import { idempotencyWindowMs } from '../../../../src/actors/allocator/idempotency-window.ts';
import type { ScheduleState } from '../../../../src/actors/allocator/state.ts';
import type { SeededRandom } from '../seeded-random.ts';
import {
  block,
  cancel,
  expire,
  extend,
  hold,
  holdBest,
  mark,
  type ScheduleScript,
  unblock,
} from './schedule-script.ts';

export const users = ['ann', 'bob', 'cid'];
export const keys = ['k1', 'k2', 'k3', 'k4'];

/** Commands of three people and an operator; some days long, so that memory is forgotten on the way. */
export function runRandomCommands(random: SeededRandom, script: ScheduleScript, count: number): void {
  for (let step = 0; step < count; step++) {
    const command = randomCommand(random, script.state);
    if (!isReplay(script.state, command)) script.run(command);
  }
}

function randomCommand(random: SeededRandom, state: ScheduleState): Command {
  const nowMs = state.lastAtMs + pauseMs(random, state);
  const userId = random.pick(users);
  const seatIds = random.sample(state.terms.map.seatIds, random.between(1, 3));
  const number = random.between(1, state.lastReservationNumber + 1);
  const make = random.pick([
    () => hold(nowMs, userId, seatIds, randomMark(random)),
    () => hold(nowMs, userId, seatIds, randomMark(random)),
    () => holdBest(nowMs, userId, random.between(1, 3), { adjacent: random.chance(50) }),
    () => extend(nowMs, userId, number, randomMark(random)),
    () => cancel(nowMs, userId, number),
    () => expire(nowMs),
    () => block(nowMs, seatIds),
    () => unblock(nowMs, seatIds),
  ]);
  return make();
}

/** None, a moment, until a hold ends, or until something is forgotten to the millisecond. */
function pauseMs(random: SeededRandom, state: ScheduleState): number {
  if (random.chance(40)) return 0;
  if (random.chance(80)) return random.between(1, 2_000);
  if (random.chance(50)) return state.terms.holdTtlMs + random.between(-1, 1);
  return idempotencyWindowMs / random.pick([1, 2, 24]) + random.between(-1, 1);
}

const randomMark = (random: SeededRandom): IdempotencyMark | undefined =>
  random.chance(50) ? mark(random.pick(keys), random.int(2)) : undefined;

/** The actor answers these without a decision. */
function isReplay(state: ScheduleState, command: Command): boolean {
  if (!('idempotency' in command) || command.idempotency === undefined) return false;
  return state.idempotency.find(command.userId, command.idempotency, command.nowMs) !== undefined;
}
