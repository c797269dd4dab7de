import { describe, expect, it } from 'vitest';
import type { ScheduleEvent } from '../../../src/actors/allocator/event.ts';
import type { IdempotencyKey, ReservationNumber, UserId } from '../../../src/actors/allocator/ids.ts';
import { type ProjectionChange, projectionChange } from '../../../src/persistence/projection-change.ts';

const number = 3 as ReservationNumber;
const userId = 'ann' as UserId;
const at = { seq: 9, atMs: 1000 };
const idempotency = { key: 'k' as IdempotencyKey, fingerprint: 5 };
const held = {
  type: 'held',
  ...at,
  number,
  userId,
  seats: [1, 2],
  totalMinor: 70,
  expiresAtMs: 2000,
} as const;
const opened = { kind: 'open', number, userId, seats: [1, 2], totalMinor: 70, expiresAtMs: 2000 } as const;

const table: readonly (readonly [string, ScheduleEvent, ProjectionChange])[] = [
  ['held', held, opened],
  [
    'held with a key',
    { ...held, idempotency },
    { ...opened, mark: { key: idempotency.key, fingerprint: 5, kind: 0, expiresAtMs: 2000 } },
  ],
  [
    'extended',
    { type: 'extended', ...at, number, expiresAtMs: 3000 },
    { kind: 'move', number, status: 'HELD', expiresAtMs: 3000 },
  ],
  [
    'extended with a key',
    { type: 'extended', ...at, number, expiresAtMs: 3000, idempotency },
    {
      kind: 'move',
      number,
      status: 'HELD',
      expiresAtMs: 3000,
      mark: { key: idempotency.key, fingerprint: 5, kind: 1, expiresAtMs: 3000 },
    },
  ],
  [
    'paying with a key',
    {
      type: 'paying',
      ...at,
      number,
      method: 'card',
      holdLeftMs: 700,
      expiresAtMs: 4000,
      idempotency,
    },
    {
      kind: 'move',
      number,
      status: 'PAYING',
      expiresAtMs: 4000,
      payment: { kind: 'begins', method: 'card', holdLeftMs: 700, idempotency },
      mark: { key: idempotency.key, fingerprint: 5, kind: 3, expiresAtMs: 4000 },
    },
  ],
  [
    'paying without a key',
    { type: 'paying', ...at, number, method: 'points', holdLeftMs: 700, expiresAtMs: 4000 },
    {
      kind: 'move',
      number,
      status: 'PAYING',
      expiresAtMs: 4000,
      payment: { kind: 'begins', method: 'points', holdLeftMs: 700, idempotency: undefined },
    },
  ],
  [
    'paid with a key',
    { type: 'paid', ...at, number, paymentSeq: 8, idempotency },
    {
      kind: 'move',
      number,
      status: 'PAID',
      payment: { kind: 'made' },
      mark: { key: idempotency.key, fingerprint: 5, kind: 2, expiresAtMs: 0 },
    },
  ],
  [
    'payment-failed, the hold is back',
    {
      type: 'payment-failed',
      ...at,
      number,
      paymentSeq: 8,
      failure: { reason: 'cancelled' },
      expiresAtMs: 5000,
    },
    { kind: 'move', number, status: 'HELD', expiresAtMs: 5000, payment: { kind: 'failed' } },
  ],
  [
    'payment-failed, the reservation has ended',
    { type: 'payment-failed', ...at, number, paymentSeq: 8, failure: { reason: 'refunded' } },
    { kind: 'end-payment', number },
  ],
  ['cancelled', { type: 'cancelled', ...at, number }, { kind: 'move', number, status: 'CANCELLED' }],
  ['expired', { type: 'expired', ...at, number }, { kind: 'move', number, status: 'EXPIRED' }],
  ['blocked', { type: 'blocked', ...at, seats: [4] }, { kind: 'block', seats: [4] }],
  ['unblocked', { type: 'unblocked', ...at, seats: [4] }, { kind: 'unblock', seats: [4] }],
];

describe('projectionChange', () => {
  it.each(table)('%s', (_name, event, change) => {
    expect(projectionChange(event)).toEqual(change);
  });
});
