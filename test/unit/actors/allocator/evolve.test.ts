import { describe, expect, test } from 'vitest';
import type { ScheduleEvent } from '../../../../src/actors/allocator/event.ts';
import { evolve } from '../../../../src/actors/allocator/evolve.ts';
import { idempotencyWindowMs } from '../../../../src/actors/allocator/idempotency-window.ts';
import type { ScheduleState } from '../../../../src/actors/allocator/state.ts';
import { mapOf } from '../hall-drawing.ts';
import {
  block,
  cancel,
  expire,
  extend,
  hold,
  mark,
  reservationNumber,
  ScheduleScript,
  unblock,
  user,
} from './schedule-script.ts';

const map = mapOf('pppp');
const script = (changed = {}): ScheduleScript => new ScheduleScript(map, changed);
const holdersOf = (state: ScheduleState): readonly number[] => [...state.holders];

describe('what each event makes of a schedule', () => {
  test('held', () => {
    const { state } = script().given([hold(100, 'ann', ['A3', 'A1'], mark('k', 9))]);
    expect(holdersOf(state)).toEqual([1, 0, 1, 0]);
    expect(state.reservations.get(1)).toMatchObject({
      userId: 'ann',
      status: 'HELD',
      seats: [2, 0],
      totalMinor: 2_000,
      heldAtMs: 100,
      expiresAtMs: 300_100,
      endedAtMs: 0,
      seq: 1,
    });
    expect(state.seatCounts).toEqual({ held: 2, paying: 0, paid: 0, blocked: 0 });
    expect([state.free.count, state.seq, state.lastAtMs, state.lastReservationNumber]).toEqual([
      2, 1, 100, 1,
    ]);
    expect(state.idempotency.find(user('ann'), mark('k'), 100)).toEqual({
      kind: 'held',
      seq: 1,
      atMs: 100,
      fingerprint: 9,
      number: 1,
      expiresAtMs: 300_100,
    });
  });

  test('extended', () => {
    const { state } = script().given([hold(100, 'ann', ['A1']), extend(150, 'ann', 1, mark('x', 3))]);
    expect(state.reservations.get(1)).toMatchObject({ status: 'HELD', expiresAtMs: 300_150, seq: 2 });
    expect(state.expiries.nextExpiryMs).toBe(300_150);
    expect(state.idempotency.find(user('ann'), mark('x'), 150)).toMatchObject({
      kind: 'extended',
      number: 1,
    });
  });

  test('cancelled', () => {
    const { state } = script({ seatsPerUserMax: 4 }).given([
      hold(100, 'ann', ['A1', 'A2']),
      hold(101, 'ann', ['A4']),
      cancel(150, 'ann', 1),
    ]);
    expect(holdersOf(state)).toEqual([0, 0, 0, 2]);
    expect(state.reservations.get(1)).toMatchObject({ status: 'CANCELLED', endedAtMs: 150, seq: 3 });
    expect(state.seatCounts.held).toBe(1);
    expect(state.expiries.size).toBe(1);
    expect([...state.liveSeatsOfUser]).toEqual([['ann', 1]]);
  });

  test('expired', () => {
    const { state } = script({ seatsPerUserMax: 4 }).given([hold(100, 'ann', ['A1', 'A2']), expire(300_100)]);
    expect(holdersOf(state)).toEqual([0, 0, 0, 0]);
    expect(state.reservations.get(1)).toMatchObject({ status: 'EXPIRED', endedAtMs: 300_100, seq: 2 });
    expect([...state.liveSeatsOfUser]).toEqual([]);
    expect(state.expiries.nextExpiryMs).toBe(Number.POSITIVE_INFINITY);
  });

  test('blocked and unblocked', () => {
    const { state } = script().given([block(100, ['A1', 'A2']), unblock(110, ['A2'])]);
    expect(holdersOf(state)).toEqual([-1, 0, 0, 0]);
    expect(state.seatCounts.blocked).toBe(1);
    expect(state.free.count).toBe(3);
  });

  test('live seats are not counted where there is no limit', () => {
    expect(script().given([hold(100, 'ann', ['A1'])]).state.liveSeatsOfUser.size).toBe(0);
  });
});

describe('an ended reservation is kept as long as a request for it may come again', () => {
  const ended = (): ScheduleScript =>
    script().given([hold(100, 'ann', ['A1'], mark('k')), cancel(150, 'ann', 1)]);

  test('the memo of its hold goes first', () => {
    const { state } = ended().given([block(100 + idempotencyWindowMs, ['A2'])]);
    expect(state.idempotency.size).toBe(0);
    expect(state.reservations.has(1)).toBe(true);
  });

  test('one millisecond before 24 hours after its end', () => {
    const { state } = ended().given([block(149 + idempotencyWindowMs, ['A2'])]);
    expect(state.reservations.has(1)).toBe(true);
  });

  test('forgotten with the first event 24 hours after its end', () => {
    const { state } = ended().given([block(150 + idempotencyWindowMs, ['A2'])]);
    expect(state.reservations.size).toBe(0);
  });

  test('thousands of them leave nothing behind', () => {
    const many = script();
    for (let number = 1; number <= 3_000; number++) {
      many.given([hold(number, 'ann', ['A1']), cancel(number, 'ann', number)]);
    }
    expect(many.state.reservations.size).toBe(3_000);
    many.given([block(1_500 + idempotencyWindowMs, ['A2'])]);
    expect(many.state.reservations.size).toBe(1_500);
    expect(many.state.ended.numbers.slice(many.state.ended.dropped)).toEqual(
      Array.from({ length: 1_500 }, (_, index) => 1_501 + index),
    );
    const laterMs = 3_000 + idempotencyWindowMs;
    many.given([block(laterMs, ['A3'])]);
    expect(many.state.reservations.size).toBe(0);
    expect(many.state.ended.numbers).toEqual([]);
    many.given([hold(laterMs, 'ann', ['A1']), cancel(laterMs, 'ann', 3_001)]);
    many.given([block(laterMs + idempotencyWindowMs, ['A4'])]);
    expect(many.state.reservations.size).toBe(0);
  });
});

describe('an event that does not fit is a bug', () => {
  const held: ScheduleEvent = {
    type: 'held',
    seq: 2,
    atMs: 100,
    number: reservationNumber(2),
    userId: user('bob'),
    seats: [1],
    totalMinor: 1_000,
    expiresAtMs: 400,
  };
  const rows: readonly { readonly name: string; readonly event: ScheduleEvent; readonly fault: string }[] = [
    { name: 'a gap in seq', event: { ...held, seq: 3 }, fault: 'I6' },
    { name: 'a seq again', event: { ...held, seq: 1 }, fault: 'I6' },
    { name: 'time going back', event: { ...held, atMs: 99 }, fault: 'time does not go back' },
    { name: 'a gap in the numbers', event: { ...held, number: reservationNumber(3) }, fault: 'gapless' },
    { name: 'a seat that is held', event: { ...held, seats: [0] }, fault: 'I1' },
    { name: 'a seat twice', event: { ...held, seats: [1, 1] }, fault: 'I1' },
    { name: 'a seat that the hall lacks', event: { ...held, seats: [4] }, fault: 'I1' },
    { name: 'blocking a held seat', event: { type: 'blocked', seq: 2, atMs: 100, seats: [0] }, fault: 'I1' },
    {
      name: 'unblocking a free seat',
      event: { type: 'unblocked', seq: 2, atMs: 100, seats: [1] },
      fault: 'I1',
    },
    {
      name: 'ending what there is not',
      event: { type: 'expired', seq: 2, atMs: 100, number: reservationNumber(9) },
      fault: 'in memory',
    },
  ];

  test.each(rows)('$name', ({ event, fault }) => {
    const { state } = script().given([hold(100, 'ann', ['A1'])]);
    expect(() => evolve(state, event)).toThrow(fault);
  });

  test('ending what has ended', () => {
    const { state } = script().given([hold(100, 'ann', ['A1']), cancel(110, 'ann', 1)]);
    const again: ScheduleEvent = { type: 'cancelled', seq: 3, atMs: 120, number: reservationNumber(1) };
    expect(() => evolve(state, again)).toThrow('only a hold');
  });
});
