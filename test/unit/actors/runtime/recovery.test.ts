import { describe, expect, test } from 'vitest';
import type { ScheduleId, ShardId } from '../../../../src/actors/allocator/ids.ts';
import { reservationStatuses } from '../../../../src/actors/allocator/reservation.ts';
import { encodeEvent } from '../../../../src/actors/runtime/event-codec.ts';
import type { StoredSchedule } from '../../../../src/actors/runtime/ports.ts';
import { recoverState } from '../../../../src/actors/runtime/recovery.ts';
import { block, cancel, extend, hold, mark, ScheduleScript, termsOf } from '../allocator/schedule-script.ts';
import { pictureOf } from '../allocator/state-picture.ts';
import { mapOf } from '../hall-drawing.ts';
import { emptyImage } from './scripted-store.ts';

const map = mapOf('pppp', 'pppp');

/** Two holds with keys, one of them extended and one cancelled, and a blocked seat; then, behind seq 5, more. */
const script = new ScheduleScript(map, { seatsPerUserMax: 6 }).given([
  hold(100, 'ann', ['A2', 'A1'], mark('k1', 11)),
  hold(110, 'bob', ['B1'], mark('k2', 22)),
  extend(120, 'ann', 1, mark('k3', 33)),
  cancel(130, 'bob', 2),
  block(140, ['B4', 'A4']),
  hold(150, 'cid', ['B1']),
  cancel(160, 'ann', 1),
]);

/** The image of the first five events, column by column. */
const image: StoredSchedule['image'] = {
  projectedSeq: 5,
  lastAtMs: 140,
  lastReservationNumber: 2,
  blockedSeats: new Int32Array([3, 7]),
  reservations: {
    count: 2,
    number: new Float64Array([1, 2]),
    userId: ['ann', 'bob'],
    status: new Uint8Array(
      ['HELD', 'CANCELLED'].map((status) => reservationStatuses.indexOf(status as 'HELD')),
    ),
    seatCount: new Uint8Array([2, 1]),
    seats: new Int32Array([1, 0, 4]),
    totalMinor: new Float64Array([2_000, 1_000]),
    heldAtMs: new Float64Array([100, 110]),
    expiresAtMs: new Float64Array([300_120, 300_110]),
    endedAtMs: new Float64Array([0, 130]),
    seq: new Float64Array([3, 4]),
    paymentSeq: new Float64Array([0, 0]),
    paidAtMs: new Float64Array([0, 0]),
  },
  openPayments: [],
  marks: {
    count: 3,
    seq: new Float64Array([1, 2, 3]),
    atMs: new Float64Array([100, 110, 120]),
    userId: ['ann', 'bob', 'ann'],
    key: ['k1', 'k2', 'k3'],
    fingerprint: new Float64Array([11, 22, 33]),
    number: new Float64Array([1, 2, 1]),
    kind: new Uint8Array([0, 0, 1]),
    expiresAtMs: new Float64Array([300_100, 300_110, 300_120]),
  },
};

const tail = script.events
  .filter((event) => event.seq > 5)
  .map((event) => ({
    scheduleId: 7 as ScheduleId,
    shardId: 1 as ShardId,
    seq: event.seq,
    atMs: event.atMs,
    type: event.type,
    payload: encodeEvent(event),
  }));

const terms = termsOf(map, { seatsPerUserMax: 6 });

describe('a schedule from the store', () => {
  test('projections and the journal behind them make the state that was lost', () => {
    expect(pictureOf(recoverState(terms, { image, tail }))).toEqual(pictureOf(script.state));
  });

  test('nothing stored yet is an empty schedule', () => {
    const empty = new ScheduleScript(map, { seatsPerUserMax: 6 }).state;
    expect(pictureOf(recoverState(terms, { image: emptyImage, tail: [] }))).toEqual(pictureOf(empty));
  });

  test('I6: a journal with a gap is refused', () => {
    expect(() => recoverState(terms, { image, tail: tail.slice(1) })).toThrow('I6');
  });

  test('I1: an image in which two have one seat is refused', () => {
    const seats = new Int32Array([1, 0, 0]);
    const status = new Uint8Array([0, 0]);
    const doubled = { ...image, reservations: { ...image.reservations, seats, status } };
    expect(() => recoverState(terms, { image: doubled, tail: [] })).toThrow('I1');
  });
});
