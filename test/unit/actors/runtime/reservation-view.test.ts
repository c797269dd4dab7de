import { describe, expect, test } from 'vitest';
import type { Memo } from '../../../../src/actors/allocator/idempotency-window.ts';
import type { Reservation } from '../../../../src/actors/allocator/reservation.ts';
import type { ScheduleState } from '../../../../src/actors/allocator/state.ts';
import { replayOf, viewOf } from '../../../../src/actors/runtime/reservation-view.ts';
import { cancel, extend, hold, mark, ScheduleScript, user } from '../allocator/schedule-script.ts';
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
