import { describe, expect, test } from 'vitest';
import type { Memo } from '../../../../src/actors/allocator/idempotency-window.ts';
import type { ScheduleId } from '../../../../src/actors/allocator/ids.ts';
import type { Reservation } from '../../../../src/actors/allocator/reservation.ts';
import type { ScheduleState } from '../../../../src/actors/allocator/state.ts';
import { replayOf, storedView, viewOf } from '../../../../src/actors/runtime/reservation-view.ts';
import {
  approved,
  cancel,
  declined,
  expire,
  extend,
  hold,
  mark,
  pay,
  reservationNumber,
  ScheduleScript,
  settle,
  user,
} from '../allocator/schedule-script.ts';
import { mapOf } from '../hall-drawing.ts';

const map = mapOf('pp');
const reservation = (state: ScheduleState): Reservation => state.reservations.get(1) as Reservation;
const memo = (state: ScheduleState, key: string): Memo =>
  state.idempotency.find(user('ann'), mark(key), state.lastAtMs) as Memo;

test('a view stays what it was when the reservation changes', () => {
  const script = new ScheduleScript(map).given([hold(100, 'ann', ['A1'])]);
  const view = viewOf(script.state, reservation(script.state), 150);
  script.given([cancel(200, 'ann', 1)]);
  expect(view).toMatchObject({ scheduleId: 7, status: 'HELD', endedAtMs: 0, asOfMs: 150, seq: 1 });
});

describe('the payment of a reservation is shown', () => {
  const terms = { holdTtlMs: 60_000 };
  const begun = [hold(100, 'ann', ['A1']), pay(200, 'ann', 1)];
  const rows = [
    { name: 'not of a hold', commands: [hold(100, 'ann', ['A1'])], shown: ['HELD', undefined, 0] },
    { name: 'while it is under way', commands: begun, shown: ['PAYING', '7-1-2', 0] },
    {
      name: 'when it was made, with the time',
      commands: [...begun, settle(300, 1, 2, approved)],
      shown: ['PAID', '7-1-2', 300],
    },
    {
      name: 'not when it has failed',
      commands: [...begun, settle(300, 1, 2, declined)],
      shown: ['HELD', undefined, 0],
    },
    {
      name: 'not when it is still open and the seats are gone',
      commands: [...begun, expire(120_200)],
      shown: ['EXPIRED', undefined, 0],
    },
  ];

  test.each(rows)('$name', ({ commands, shown }) => {
    const { state } = new ScheduleScript(map, terms).given(commands);
    const view = viewOf(state, reservation(state), 130_000);
    expect([view.status, view.paymentId, view.paidAtMs]).toEqual(shown);
  });

  test.each(rows)('from the projection as well: $name', ({ commands, shown: [, paymentId, paidAtMs] }) => {
    const { state } = new ScheduleScript(map, terms).given(commands);
    const { status, payment } = reservation(state);
    const stored = {
      scheduleId: 7 as ScheduleId,
      number: reservationNumber(1),
      userId: user('ann'),
      status,
      seats: [0],
      totalMinor: 1_000,
      heldAtMs: 100,
      expiresAtMs: 300_100,
      endedAtMs: 0,
      seq: 2,
      paymentSeq: payment?.seq ?? 0,
      paidAtMs: payment?.paidAtMs ?? 0,
    };
    const { paymentSeq: _paymentSeq, ...shown } = stored;
    const withPayment = paymentId === undefined ? {} : { paymentId };
    expect(storedView(stored, 130_000)).toEqual({ ...shown, ...withPayment, paidAtMs, asOfMs: 130_000 });
  });
});

test('a replay of a payment tells of it as it was paid (I8)', () => {
  const script = new ScheduleScript(map).given([
    hold(100, 'ann', ['A1']),
    pay(200, 'ann', 1, mark('paid')),
    settle(300, 1, 2, approved),
  ]);
  const afterPayment = viewOf(script.state, reservation(script.state), 300);
  expect(replayOf(script.state, memo(script.state, 'paid'))).toEqual(afterPayment);
});

test('a replay of a hold tells nothing of its payment (I8)', () => {
  const script = new ScheduleScript(map).given([hold(100, 'ann', ['A1'], mark('held'))]);
  const afterHold = viewOf(script.state, reservation(script.state), 100);
  script.given([pay(200, 'ann', 1)]);
  expect(replayOf(script.state, memo(script.state, 'held'))).toEqual(afterHold);
  script.given([settle(300, 1, 2, approved)]);
  expect(replayOf(script.state, memo(script.state, 'held'))).toEqual(afterHold);
});

describe('a replay tells what the first success told (I8)', () => {
  const script = new ScheduleScript(map).given([hold(100, 'ann', ['A1'], mark('held'))]);
  const afterHold = viewOf(script.state, reservation(script.state), 100);
  script.given([extend(150, 'ann', 1, mark('extended'))]);
  const afterExtension = viewOf(script.state, reservation(script.state), 150);
  script.given([cancel(200, 'ann', 1)]);

  test('of a hold', () => {
    expect(replayOf(script.state, memo(script.state, 'held'))).toEqual(afterHold);
  });
  test('of an extension', () => {
    expect(replayOf(script.state, memo(script.state, 'extended'))).toEqual(afterExtension);
  });
  test('of a reservation that is not in memory: a bug', () => {
    const first = memo(script.state, 'held');
    script.state.reservations.delete(1);
    expect(() => replayOf(script.state, first)).toThrow('in memory');
  });
});
