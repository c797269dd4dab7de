import { describe, expect, test } from 'vitest';
import type { ScheduleEvent } from '../../../../src/actors/allocator/event.ts';
import { evolve } from '../../../../src/actors/allocator/evolve.ts';
import { memoKinds } from '../../../../src/actors/allocator/idempotency-window.ts';
import type { ScheduleId, ShardId } from '../../../../src/actors/allocator/ids.ts';
import { checkInvariants } from '../../../../src/actors/allocator/invariants.ts';
import { reservationStatuses } from '../../../../src/actors/allocator/reservation.ts';
import { emptyState } from '../../../../src/actors/allocator/state.ts';
import { encodeEvent } from '../../../../src/actors/runtime/event-codec.ts';
import type { JournalRow, StoredSchedule } from '../../../../src/actors/runtime/ports.ts';
import { recoverState } from '../../../../src/actors/runtime/recovery.ts';
import {
  approved,
  block,
  cancel,
  expire,
  extend,
  hold,
  mark,
  pay,
  refunded,
  reservationNumber,
  ScheduleScript,
  settle,
  termsOf,
} from '../allocator/schedule-script.ts';
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

const rowsAfter = (events: readonly ScheduleEvent[], seq: number): readonly JournalRow[] =>
  events
    .filter((event) => event.seq > seq)
    .map((event) => ({
      scheduleId: 7 as ScheduleId,
      shardId: 1 as ShardId,
      seq: event.seq,
      atMs: event.atMs,
      type: event.type,
      payload: encodeEvent(event),
    }));

const tail = rowsAfter(script.events, 5);
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

describe('payments from the store', () => {
  /**
   * Ann's A1 is paid; Bob pays for A2 by card, under the key `k`; Cid's A3 expired while it was being paid
   * for. Behind seq 9 each of the open ones comes to its end.
   */
  const sold = new ScheduleScript(map, { holdTtlMs: 120_000 }).given([
    hold(100, 'cid', ['A3']),
    pay(110, 'cid', 1),
    hold(120, 'ann', ['A1']),
    pay(130, 'ann', 2),
    settle(140, 2, 4, approved),
    expire(120_110),
    hold(120_120, 'bob', ['A2']),
    pay(120_130, 'bob', 3, mark('k', 44), 'card'),
    block(120_140, ['B1']),
    settle(120_150, 1, 2, refunded),
    settle(120_160, 3, 8, approved),
  ]);
  const statusIndex = (status: (typeof reservationStatuses)[number]) => reservationStatuses.indexOf(status);

  const paymentsImage: StoredSchedule['image'] = {
    projectedSeq: 9,
    lastAtMs: 120_140,
    lastReservationNumber: 3,
    blockedSeats: new Int32Array([4]),
    reservations: {
      count: 3,
      number: new Float64Array([1, 2, 3]),
      userId: ['cid', 'ann', 'bob'],
      status: new Uint8Array([statusIndex('EXPIRED'), statusIndex('PAID'), statusIndex('PAYING')]),
      seatCount: new Uint8Array([1, 1, 1]),
      seats: new Int32Array([2, 0, 1]),
      totalMinor: new Float64Array([1_000, 1_000, 1_000]),
      heldAtMs: new Float64Array([100, 120, 120_120]),
      expiresAtMs: new Float64Array([120_110, 120_130, 240_130]),
      endedAtMs: new Float64Array([120_110, 0, 0]),
      seq: new Float64Array([6, 5, 8]),
      paymentSeq: new Float64Array([2, 4, 8]),
      paidAtMs: new Float64Array([0, 140, 0]),
    },
    openPayments: [
      { number: reservationNumber(1), method: 'points', holdLeftMs: 119_990, idempotency: undefined },
      { number: reservationNumber(3), method: 'card', holdLeftMs: 119_990, idempotency: mark('k', 44) },
    ],
    marks: {
      count: 1,
      seq: new Float64Array([8]),
      atMs: new Float64Array([120_130]),
      userId: ['bob'],
      key: ['k'],
      fingerprint: new Float64Array([44]),
      number: new Float64Array([3]),
      kind: new Uint8Array([memoKinds.indexOf('paying')]),
      expiresAtMs: new Float64Array([240_130]),
    },
  };
  const soldTerms = termsOf(map, { holdTtlMs: 120_000 });

  test('under way, paid, and open though the seats are gone: as they were', () => {
    const upToHere = emptyState(soldTerms);
    for (const event of sold.events.slice(0, 9)) evolve(upToHere, event);
    const recovered = recoverState(soldTerms, { image: paymentsImage, tail: [] });
    expect(pictureOf(recovered)).toEqual(pictureOf(upToHere));
    expect(checkInvariants(recovered).flatMap(({ faults }) => faults)).toEqual([]);
  });

  test('and with the journal behind them they come to their ends', () => {
    const recovered = recoverState(soldTerms, { image: paymentsImage, tail: rowsAfter(sold.events, 9) });
    expect(pictureOf(recovered)).toEqual(pictureOf(sold.state));
  });

  test('I5: an image that lacks an open payment does not pass', () => {
    const [first] = paymentsImage.openPayments;
    const lacking = { ...paymentsImage, openPayments: [first!] };
    const recovered = recoverState(soldTerms, { image: lacking, tail: [] });
    const broken = checkInvariants(recovered).filter(({ faults }) => faults.length > 0);
    expect(broken.map(({ invariant }) => invariant)).toEqual(['I5']);
  });
});
