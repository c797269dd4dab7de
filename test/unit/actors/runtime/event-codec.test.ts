import { expect, test } from 'vitest';
import type { ScheduleEvent } from '../../../../src/actors/allocator/event.ts';
import { decodeEvent, encodeEvent } from '../../../../src/actors/runtime/event-codec.ts';
import { mark, reservationNumber, user } from '../allocator/schedule-script.ts';

/** The journal is stored for years: these texts never change. */
const stored: readonly { readonly event: ScheduleEvent; readonly payload: string }[] = [
  {
    event: {
      type: 'held',
      seq: 1,
      atMs: 100,
      number: reservationNumber(4),
      userId: user('ann'),
      seats: [3, 1],
      totalMinor: 2_500,
      expiresAtMs: 400,
      idempotency: mark('k-"1"', 9_007_199_254_740_991),
    },
    payload:
      '{"number":4,"userId":"ann","seats":[3,1],"totalMinor":2500,"expiresAtMs":400,"idempotency":{"key":"k-\\"1\\"","fingerprint":9007199254740991}}',
  },
  {
    event: { type: 'extended', seq: 2, atMs: 100, number: reservationNumber(4), expiresAtMs: 500 },
    payload: '{"number":4,"expiresAtMs":500}',
  },
  {
    event: {
      type: 'paying',
      seq: 3,
      atMs: 100,
      number: reservationNumber(4),
      method: 'card',
      holdLeftMs: 250,
      expiresAtMs: 900,
      idempotency: mark('p', 7),
    },
    payload:
      '{"number":4,"method":"card","holdLeftMs":250,"expiresAtMs":900,"idempotency":{"key":"p","fingerprint":7}}',
  },
  {
    event: {
      type: 'paid',
      seq: 4,
      atMs: 100,
      number: reservationNumber(4),
      paymentSeq: 3,
      idempotency: mark('p', 7),
    },
    payload: '{"number":4,"paymentSeq":3,"idempotency":{"key":"p","fingerprint":7}}',
  },
  {
    event: {
      type: 'payment-failed',
      seq: 5,
      atMs: 100,
      number: reservationNumber(4),
      paymentSeq: 3,
      failure: { reason: 'declined', declineCode: 'card_declined' },
      expiresAtMs: 30_100,
    },
    payload:
      '{"number":4,"paymentSeq":3,"failure":{"reason":"declined","declineCode":"card_declined"},"expiresAtMs":30100}',
  },
  {
    event: {
      type: 'payment-failed',
      seq: 6,
      atMs: 100,
      number: reservationNumber(4),
      paymentSeq: 3,
      failure: { reason: 'refunded' },
    },
    payload: '{"number":4,"paymentSeq":3,"failure":{"reason":"refunded"}}',
  },
  {
    event: { type: 'cancelled', seq: 3, atMs: 100, number: reservationNumber(4) },
    payload: '{"number":4}',
  },
  { event: { type: 'expired', seq: 4, atMs: 100, number: reservationNumber(4) }, payload: '{"number":4}' },
  { event: { type: 'blocked', seq: 5, atMs: 100, seats: [0, 7] }, payload: '{"seats":[0,7]}' },
  { event: { type: 'unblocked', seq: 6, atMs: 100, seats: [7] }, payload: '{"seats":[7]}' },
];

test.each(stored)('$event.type is stored as its fields, and read back the same', ({ event, payload }) => {
  expect(encodeEvent(event)).toBe(payload);
  expect(decodeEvent({ seq: event.seq, atMs: event.atMs, type: event.type, payload })).toEqual(event);
});
