import type { Command, SettlePaymentCommand } from '../../../../src/actors/allocator/command.ts';
import type { IdempotencyMark } from '../../../../src/actors/allocator/event.ts';
import { idempotencyWindowMs } from '../../../../src/actors/allocator/idempotency-window.ts';
import { paymentMethods } from '../../../../src/actors/allocator/payment.ts';
import { hasOpenPayment } from '../../../../src/actors/allocator/reservation.ts';
import type { ScheduleState } from '../../../../src/actors/allocator/state.ts';
import type { SeededRandom } from '../seeded-random.ts';
import {
  approved,
  block,
  cancel,
  declined,
  expire,
  extend,
  hold,
  holdBest,
  mark,
  pay,
  refunded,
  type ScheduleScript,
  settle,
  unblock,
} from './schedule-script.ts';

export const users = ['ann', 'bob', 'cid'];
export const keys = ['k1', 'k2', 'k3', 'k4'];

/** Any time but 0, which a reservation takes for never. */
const startMs = 1_000;

/** Commands of three people and an operator; some days long, so that memory is forgotten on the way. */
export function runRandomCommands(random: SeededRandom, script: ScheduleScript, count: number): void {
  for (let step = 0; step < count; step++) {
    const command = randomCommand(random, script.state);
    if (!isReplay(script.state, command)) script.run(command);
  }
}

function randomCommand(random: SeededRandom, state: ScheduleState): Command {
  const nowMs = Math.max(state.lastAtMs, startMs) + pauseMs(random, state);
  const userId = random.pick(users);
  const seatIds = random.sample(state.terms.map.seatIds, random.between(1, 3));
  const { number, owner } = randomReservation(random, state);
  const make = random.pick([
    () => hold(nowMs, userId, seatIds, randomMark(random)),
    () => hold(nowMs, userId, seatIds, randomMark(random)),
    () => holdBest(nowMs, userId, random.between(1, 3), { adjacent: random.chance(50) }),
    () => extend(nowMs, owner, number, randomMark(random)),
    () => cancel(nowMs, owner, number),
    () => pay(nowMs, owner, number, randomMark(random), random.pick(paymentMethods)),
    () => randomSettlement(random, state, nowMs),
    () => expire(nowMs),
    () => block(nowMs, seatIds),
    () => unblock(nowMs, seatIds),
  ]);
  return make();
}

/** One that is HELD, with its owner, mostly; else whatever number and person. */
function randomReservation(random: SeededRandom, state: ScheduleState): { number: number; owner: string } {
  const held = [...state.reservations.values()].filter(({ status }) => status === 'HELD');
  if (held.length > 0 && random.chance(60)) {
    const { number, userId } = random.pick(held);
    return { number, owner: userId };
  }
  return { number: random.between(1, state.lastReservationNumber + 1), owner: random.pick(users) };
}

const results: readonly SettlePaymentCommand['result'][] = [
  approved,
  approved,
  declined,
  refunded,
  { reason: 'cancelled' },
  { reason: 'insufficient-points' },
];

/** Of a payment that is open, mostly; else of one that is over, or never was. */
function randomSettlement(random: SeededRandom, state: ScheduleState, nowMs: number): Command {
  const open = [...state.reservations.values()].filter(hasOpenPayment);
  const result = random.pick(results);
  if (open.length === 0 || random.chance(10)) {
    const number = random.between(1, state.lastReservationNumber + 1);
    return settle(nowMs, number, random.between(1, state.seq + 1), result);
  }
  const { number, payment } = random.pick(open);
  return settle(nowMs, number, payment?.seq ?? 0, result);
}

/** None, a moment, until a hold ends, or until something is forgotten to the millisecond. */
function pauseMs(random: SeededRandom, state: ScheduleState): number {
  if (random.chance(40)) return 0;
  if (random.chance(80)) return random.between(1, 2_000);
  if (random.chance(50)) {
    const { holdTtlMs, paymentMaxMs } = state.terms;
    return random.pick([holdTtlMs, paymentMaxMs]) + random.between(-1, 1);
  }
  return idempotencyWindowMs / random.pick([1, 2, 24]) + random.between(-1, 1);
}

const randomMark = (random: SeededRandom): IdempotencyMark | undefined =>
  random.chance(50) ? mark(random.pick(keys), random.int(2)) : undefined;

/** The actor answers these without a decision. */
function isReplay(state: ScheduleState, command: Command): boolean {
  if (!('idempotency' in command) || command.idempotency === undefined) return false;
  return state.idempotency.find(command.userId, command.idempotency, command.nowMs) !== undefined;
}
