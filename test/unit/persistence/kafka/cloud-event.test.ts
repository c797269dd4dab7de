import { describe, expect, it } from 'vitest';
import type { ScheduleEvent } from '../../../../src/actors/allocator/event.ts';
import type { ScheduleId, UserId } from '../../../../src/actors/allocator/ids.ts';
import {
  type EventMessage,
  heldFacts,
  isReservationEvent,
  messageOverheadBytes,
  reservationMessage,
  seatReservedMessage,
  seatsMessage,
} from '../../../../src/persistence/kafka/cloud-event.ts';
import { ScheduleJournal } from '../../../contract/schedule-journal.ts';

const heldAtMs = Date.parse('2026-12-01T11:00:00.000Z');
const laterMs = Date.parse('2026-12-01T11:02:00.007Z');
const expiresAtMs = Date.parse('2026-12-01T11:05:00.000Z');
const nowMs = Date.parse('2026-12-02T00:00:00.000Z');
const schedule = { seatIds: ['A-1-1', 'A-1-2', 'Ä "7"'], currency: 'EUR' };

const mark = { key: 'secret-between-us', fingerprint: 7 };

/** Event 1 holds seats 2 and 0 for ann; event 2 is what `write` makes of reservation 1. */
function journalWith(write: (journal: ScheduleJournal) => void): ScheduleJournal {
  const journal = new ScheduleJournal(42, 1);
  journal.nowMs = heldAtMs;
  journal.hold({ userId: 'ann', seats: [2, 0], totalMinor: 9900, expiresAtMs, mark });
  journal.nowMs = laterMs;
  write(journal);
  return journal;
}

const facts = { userId: 'ann' as UserId, seats: [2, 0], totalMinor: 9900, heldAtMs };
const scheduleId = 42 as ScheduleId;

function messageOf(event: ScheduleEvent): EventMessage {
  return isReservationEvent(event)
    ? reservationMessage(scheduleId, event, schedule, facts, nowMs)
    : seatsMessage(scheduleId, event, schedule, nowMs);
}

const dataOf = ({ value }: EventMessage) => JSON.parse(value.toString());
const headersOf = ({ headers }: EventMessage) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));

const reservation = {
  scheduleId: 42,
  reservationId: '42-1',
  userId: 'ann',
  seatIds: ['Ä "7"', 'A-1-1'],
  totalMinor: 9900,
  currency: 'EUR',
  heldAt: '2026-12-01T11:00:00.000Z',
};
const later = { seq: 2, at: '2026-12-01T11:02:00.007Z' };
const one = 1 as never;

type Row = readonly [type: string, write: (journal: ScheduleJournal) => void, data: object];
const rows: readonly Row[] = [
  [
    'usher.reservation.extended',
    (journal) => journal.extend(one, expiresAtMs, mark),
    { ...reservation, ...later, expiresAt: '2026-12-01T11:05:00.000Z' },
  ],
  [
    'usher.reservation.paying',
    (journal) => journal.pay(one, { method: 'card', mark }),
    { ...reservation, ...later, paymentId: '42-1-2', method: 'card', expiresAt: '2026-12-01T11:04:00.007Z' },
  ],
  [
    'usher.reservation.paid',
    (journal) => journal.paid(one, 7, mark),
    { ...reservation, ...later, paymentId: '42-1-7' },
  ],
  [
    'usher.reservation.payment-failed',
    (journal) =>
      journal.failPayment(one, 7, {
        failure: { reason: 'declined', declineCode: 'stolen_card' },
        expiresAtMs,
      }),
    {
      ...reservation,
      ...later,
      paymentId: '42-1-7',
      reason: 'declined',
      declineCode: 'stolen_card',
      expiresAt: '2026-12-01T11:05:00.000Z',
    },
  ],
  [
    'usher.reservation.payment-failed',
    (journal) => journal.failPayment(one, 7, { failure: { reason: 'refunded' } }),
    { ...reservation, ...later, paymentId: '42-1-7', reason: 'refunded' },
  ],
  ['usher.reservation.cancelled', (journal) => journal.cancel(one), { ...reservation, ...later }],
  ['usher.reservation.expired', (journal) => journal.expire(one), { ...reservation, ...later }],
  ['usher.seats.blocked', (journal) => journal.block(1), { scheduleId: 42, ...later, seatIds: ['A-1-2'] }],
  [
    'usher.seats.unblocked',
    (journal) => journal.unblock(1),
    { scheduleId: 42, ...later, seatIds: ['A-1-2'] },
  ],
];

describe('an event as a CloudEvent', () => {
  it('usher.reservation.held', () => {
    const [held] = journalWith(() => {}).events;
    const message = messageOf(held!);
    expect(message.key).toBe('42');
    expect(message.timestamp).toBe(String(heldAtMs));
    expect(headersOf(message)).toEqual({
      ce_specversion: '1.0',
      ce_id: '42-1',
      ce_type: 'usher.reservation.held',
      ce_source: 'usher',
      ce_time: '2026-12-01T11:00:00.000Z',
      ce_subject: '42-1',
      'content-type': 'application/json',
    });
    expect(dataOf(message)).toEqual({
      ...reservation,
      seq: 1,
      expiresAt: '2026-12-01T11:05:00.000Z',
      at: '2026-12-01T11:00:00.000Z',
    });
    if (held?.type !== 'held') throw new Error('not held');
    expect(heldFacts(held)).toEqual(facts);
  });

  it.each(rows)('%s', (type, write, data) => {
    const event = journalWith(write).events[1]!;
    const message = messageOf(event);
    expect(dataOf(message)).toEqual(data);
    expect(headersOf(message)).toEqual({
      ce_specversion: '1.0',
      ce_id: '42-2',
      ce_type: type,
      ce_source: 'usher',
      ce_time: '2026-12-01T11:02:00.007Z',
      ...('reservationId' in data && { ce_subject: '42-1' }),
      'content-type': 'application/json',
    });
    expect([message.key, message.timestamp]).toEqual(['42', String(laterMs)]);
    expect(message.value.toString()).not.toContain(mark.key);
  });

  it('usher.seat.reserved, for a new hold', () => {
    const [held] = journalWith(() => {}).events;
    if (held?.type !== 'held') throw new Error('not held');
    const message = seatReservedMessage(scheduleId, held, schedule, nowMs);
    expect(headersOf(message)).toEqual({
      ...headersOf(messageOf(held)),
      ce_type: 'usher.seat.reserved',
    });
    expect([message.key, message.timestamp]).toEqual(['42', String(heldAtMs)]);
    expect(dataOf(message)).toEqual({
      scheduleId: 42,
      seq: 1,
      reservationId: '42-1',
      userId: 'ann',
      seatIds: ['Ä "7"', 'A-1-1'],
      totalMinor: 9900,
      currency: 'EUR',
      expiresAt: '2026-12-01T11:05:00.000Z',
    });
  });

  it('has the time of its event, or of now where that is ahead', () => {
    const event = journalWith((journal) => journal.block(1)).events[1]!;
    if (event.type !== 'blocked') throw new Error('not blocked');
    const message = seatsMessage(scheduleId, event, schedule, laterMs - 1);
    expect(message.timestamp).toBe(String(laterMs - 1));
    expect(headersOf(message)['ce_time']).toBe('2026-12-01T11:02:00.007Z');
  });

  it('is refused when the hall has no such seat', () => {
    const event = journalWith((journal) => journal.block(1, 3)).events[1]!;
    expect(() => messageOf(event)).toThrow('the hall has 3 seats, and none of ordinal 3');
  });

  it('is larger than its value by no more than is reckoned with', () => {
    const largest = Number.MAX_SAFE_INTEGER;
    const held = { ...journalWith(() => {}).events[0]!, seq: largest, number: largest };
    const { key, headers } = reservationMessage(
      largest as ScheduleId,
      { ...held, type: 'payment-failed', paymentSeq: 1, failure: { reason: 'refunded' } } as never,
      schedule,
      facts,
      nowMs,
    );
    const lengths = Object.entries(headers).map(([name, value]) => 4 + name.length + value.length);
    const bytes = lengths.reduce((sum, length) => sum + length, 24 + key.length);
    expect(bytes).toBeLessThanOrEqual(messageOverheadBytes);
  });
});
