import { expect, test } from 'vitest';
import type { ScheduleEvent } from '../../../../src/actors/allocator/event.ts';
import { evolve } from '../../../../src/actors/allocator/evolve.ts';
import { type SeatChange, seatChangeOf } from '../../../../src/actors/allocator/seat-change.ts';
import { emptyState } from '../../../../src/actors/allocator/state.ts';
import { mapOf } from '../hall-drawing.ts';
import {
  approved,
  block,
  cancel,
  declined,
  expire,
  extend,
  hold,
  pay,
  ScheduleScript,
  settle,
  termsOf,
  unblock,
} from './schedule-script.ts';

const map = mapOf('pppp');

test('taken and freed seats of every kind of event, told before the event as after it', () => {
  const { events } = new ScheduleScript(map).given([
    hold(100, 'ann', ['A2', 'A1']),
    extend(110, 'ann', 1),
    cancel(120, 'ann', 1),
    block(130, ['A3']),
    unblock(140, ['A3']),
    hold(150, 'bob', ['A4']),
    expire(400_000),
    hold(400_000, 'cid', ['A1']),
    pay(400_001, 'cid', 3),
    settle(400_002, 3, 9, declined),
    pay(400_003, 'cid', 3),
    settle(400_004, 3, 11, approved),
  ]);
  const expected: Record<ScheduleEvent['type'], Omit<SeatChange, 'seq'>> = {
    held: { taken: [1, 0], freed: [] },
    extended: { taken: [], freed: [] },
    cancelled: { taken: [], freed: [1, 0] },
    blocked: { taken: [2], freed: [] },
    unblocked: { taken: [], freed: [2] },
    expired: { taken: [], freed: [3] },
    paying: { taken: [], freed: [] },
    'payment-failed': { taken: [], freed: [] },
    paid: { taken: [], freed: [] },
  };
  const takenByHold: Record<number, Omit<SeatChange, 'seq'>> = {
    6: { taken: [3], freed: [] },
    8: { taken: [0], freed: [] },
  };
  expect(new Set(events.map((event) => event.type))).toEqual(new Set(Object.keys(expected)));

  const state = emptyState(termsOf(map));
  for (const event of events) {
    const change = takenByHold[event.seq] ?? expected[event.type];
    expect(seatChangeOf(state, event)).toEqual({ seq: event.seq, ...change });
    evolve(state, event);
    expect(seatChangeOf(state, event)).toEqual({ seq: event.seq, ...change });
  }
});
