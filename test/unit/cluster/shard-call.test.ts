import { describe, expect, test } from 'vitest';
import type { ReservationNumber, ScheduleId, UserId } from '../../../src/actors/allocator/ids.ts';
import { unavailable } from '../../../src/actors/runtime/outcome.ts';
import {
  carryOut,
  failureOf,
  isRepeatable,
  type Owner,
  readShardCall,
  type ShardAnswer,
  type ShardCall,
  scheduleOf,
} from '../../../src/cluster/shard-call.ts';
import { mark } from '../actors/allocator/schedule-script.ts';

const scheduleId = 3 as ScheduleId;
const userId = 'ann' as UserId;
const number = 1 as ReservationNumber;
const ref = { scheduleId, number };
const idempotency = mark('k');

const table: readonly { readonly call: ShardCall; readonly repeatable: boolean }[] = [
  { call: { kind: 'read', ref, userId }, repeatable: true },
  { call: { kind: 'count', scheduleId }, repeatable: true },
  { call: { kind: 'audit', scheduleId }, repeatable: true },
  { call: { kind: 'pay', payment: { ref, userId, method: 'points' } }, repeatable: false },
  { call: { kind: 'pay', payment: { ref, userId, method: 'points', idempotency } }, repeatable: true },
  { call: { kind: 'submit', scheduleId, intent: { kind: 'cancel', userId, number } }, repeatable: true },
  { call: { kind: 'submit', scheduleId, intent: { kind: 'extend', userId, number } }, repeatable: false },
  {
    call: { kind: 'submit', scheduleId, intent: { kind: 'extend', userId, number, idempotency } },
    repeatable: true,
  },
  { call: { kind: 'submit', scheduleId, intent: { kind: 'hold', userId, seatIds: [] } }, repeatable: false },
  {
    call: { kind: 'submit', scheduleId, intent: { kind: 'hold', userId, seatIds: [], idempotency } },
    repeatable: true,
  },
  { call: { kind: 'submit', scheduleId, intent: { kind: 'block', seatIds: [] } }, repeatable: false },
  { call: { kind: 'submit', scheduleId, intent: { kind: 'unblock', seatIds: [] } }, repeatable: false },
];

test.each(table)('$call: repeatable $repeatable', ({ call, repeatable }) => {
  expect([isRepeatable(call), scheduleOf(call)]).toEqual([repeatable, 3]);
  expect(readShardCall(JSON.parse(JSON.stringify(call)))).toEqual(call);
});

test.each([
  undefined,
  null,
  7,
  'count',
  {},
  { kind: 'swap', scheduleId: 1 },
  { kind: 'count', scheduleId: 1.5 },
])('no call: %j', (value) => {
  expect(readShardCall(value)).toBeUndefined();
});

describe('a read that fails is told to a caller who knows no refusals', () => {
  test.each<[ShardAnswer, string]>([
    [unavailable('overloaded'), 'overloaded'],
    [unavailable('shard-moving'), 'shard-moving'],
    [{ kind: 'rejected', rejection: { code: 'not-found' } }, 'not-found'],
  ])('%j: %s', (answer, failure) => {
    expect(failureOf(answer)).toEqual({ failure, retryAfterSeconds: 1 });
  });

  test.each(['count', 'audit'] as const)('%s of a schedule that there is not', async (kind) => {
    const missing = async () => ({ failure: 'not-found', retryAfterSeconds: 1 }) as const;
    const owner = { countSeats: missing, audit: missing } as unknown as Owner;
    const answer = await new Promise((resolve) => carryOut(owner, { kind, scheduleId }, resolve));
    expect(answer).toEqual({ kind: 'rejected', rejection: { code: 'not-found' } });
  });

  test('counts that are there', async () => {
    const counts = { seq: 1, capacity: 1, free: 1, held: 0, paying: 0, paid: 0, blocked: 0 };
    const owner = { countSeats: async () => counts } as unknown as Owner;
    const answer = await new Promise((resolve) => carryOut(owner, { kind: 'count', scheduleId }, resolve));
    expect(answer).toEqual({ kind: 'counts', counts });
  });
});
