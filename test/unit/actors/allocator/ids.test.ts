import { describe, expect, test } from 'vitest';
import {
  formatPaymentId,
  formatReservationId,
  idempotencyKey,
  parseReservationId,
  performanceId,
  type ReservationNumber,
  type ScheduleId,
  scheduleId,
  shardOf,
  userId,
  venueId,
} from '../../../../src/actors/allocator/ids.ts';

describe.each([
  ['venueId', venueId],
  ['performanceId', performanceId],
  ['scheduleId', scheduleId],
])('%s', (_, toId) => {
  test.each([1, 2, 4_294_967_296, Number.MAX_SAFE_INTEGER])('%d is one', (value) => {
    expect(toId(value)).toBe(value);
  });
  test.each([0, -1, 1.5, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY])('%d is none', (value) => {
    expect(toId(value)).toBeUndefined();
  });
});

describe('userId', () => {
  test.each(['a', 'A.b_c:d@e-9', 'x'.repeat(64)])('%j is one', (text) => {
    expect(userId(text)).toBe(text);
  });
  test.each(['', 'x'.repeat(65), 'a b', 'a\n', 'é', 'a/b', 'a+b', ' a'])('%j is none', (text) => {
    expect(userId(text)).toBeUndefined();
  });
});

describe('idempotencyKey', () => {
  test.each(['k', '!~', '"quoted"', 'x'.repeat(255)])('%j is one', (text) => {
    expect(idempotencyKey(text)).toBe(text);
  });
  test.each(['', 'x'.repeat(256), 'a b', 'a\t', '\u007f', 'é', 'a\n'])('%j is none', (text) => {
    expect(idempotencyKey(text)).toBeUndefined();
  });
});

describe('reservation ids', () => {
  test.each([
    ['7-1', 7, 1],
    ['1-42', 1, 42],
    ['9007199254740991-9007199254740991', Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  ])('%s is one, and is written the same', (text, schedule, number) => {
    expect(parseReservationId(text)).toEqual({ scheduleId: schedule, number });
    expect(formatReservationId(schedule as ScheduleId, number as ReservationNumber)).toBe(text);
  });
  test.each([
    '',
    '7',
    '-7',
    '7-',
    '7-0',
    '0-7',
    '07-1',
    '7-01',
    '7-1-1',
    '7-1 ',
    '7-1\n',
    '+7-1',
    '7.0-1',
    '7e1-1',
    '9007199254740992-1',
    '1-9007199254740992',
    '１-1',
  ])('%j is none', (text) => {
    expect(parseReservationId(text)).toBeUndefined();
  });
});

describe('shardOf', () => {
  /** Written down once: schedules are stored by shard, so another hash would lose every one of them. */
  test.each([
    [1, 256, 183],
    [2, 256, 6],
    [3, 256, 39],
    [255, 256, 131],
    [256, 256, 95],
    [65_537, 256, 64],
    [4_294_967_296, 256, 235],
    [4_294_967_297, 256, 124],
    [Number.MAX_SAFE_INTEGER, 256, 62],
    [12_345, 1_024, 476],
    [1, 64, 55],
    [1, 1, 0],
  ])('schedule %i of %i shards is in shard %i, for ever', (schedule, shardCount, shard) => {
    expect(shardOf(schedule as ScheduleId, shardCount)).toBe(shard);
  });

  test('consecutive schedules spread evenly over 256 shards', () => {
    const perShard = 64;
    const counts = new Array<number>(256).fill(0);
    for (let schedule = 1; schedule <= 256 * perShard; schedule++) {
      const shard = shardOf(schedule as ScheduleId, 256);
      counts[shard] = (counts[shard] as number) + 1;
    }
    // 5 standard deviations of a fair hash: 64 ± 40.
    expect(Math.min(...counts)).toBeGreaterThan(24);
    expect(Math.max(...counts)).toBeLessThan(104);
  });

  test('the high word counts as well', () => {
    const shards = Array.from({ length: 64 }, (_, i) => shardOf((1 + i * 2 ** 32) as ScheduleId, 256));
    expect(new Set(shards).size).toBeGreaterThan(40);
  });
});

test('a payment is named by its reservation and the event that began it', () => {
  expect(formatPaymentId(7 as ScheduleId, 3 as ReservationNumber, 42)).toBe('7-3-42');
});
