import { describe, expect, test } from 'vitest';
import type { ScheduleId } from '../../../../src/actors/allocator/ids.ts';
import { publishCount } from '../../../../src/persistence/redis/published-count.ts';
import { RedisAvailableCounts } from '../../../../src/persistence/redis/redis-available-counts.ts';
import { ManualClock } from '../../actors/runtime/manual-clock.ts';
import { ScriptedRedis } from '../../redis/scripted-redis.ts';

const id = (value: number): ScheduleId => value as ScheduleId;
const ids = (count: number): readonly ScheduleId[] =>
  Array.from({ length: count }, (_, index) => id(index + 1));
const keyOf = (value: number): string => `available:one:${value}`;

class Stage {
  /** The Lua keeps the later seq; test/integration shows that. Here every count is taken. */
  readonly redis = new ScriptedRedis(
    new Map([
      [
        publishCount,
        (values, key, [seq, available]) => {
          values.set(key, `${seq} ${available}`);
          return 1;
        },
      ],
    ]),
  );
  readonly clock = new ManualClock();
  readonly seen: string[] = [];
  readonly counts: RedisAvailableCounts;

  constructor(schedulesMax = 10_000) {
    this.counts = new RedisAvailableCounts({
      redis: this.redis,
      clock: this.clock,
      observer: { onRequest: (_cache, result) => this.seen.push(result) },
      installationId: 'one',
      schedulesMax,
    });
  }

  async read(...scheduleIds: readonly number[]): Promise<readonly (readonly [number, number])[]> {
    return [...(await this.counts.read(scheduleIds.map(id)))];
  }
}

describe('publishing', () => {
  test('sends the newest of each schedule, once in 200 ms', async () => {
    const { redis, clock, counts } = new Stage();
    for (let seq = 1; seq <= 100; seq++) counts.publish(id(1), seq, 1_000 - seq);
    counts.publish(id(1), 99, 901);
    counts.publish(id(2), 7, 3);
    await clock.advance(199);
    expect(redis.calls).toEqual([]);
    await clock.advance(1);
    expect(redis.calls).toEqual([
      ['usherPublishCount available:one:1 100 900 600000', 'usherPublishCount available:one:2 7 3 600000'],
    ]);
    await clock.advance(10_000);
    expect(redis.calls).toHaveLength(1);
  });

  test('sends 500 at a time', async () => {
    const { redis, clock, counts } = new Stage();
    for (const scheduleId of ids(1_100)) counts.publish(scheduleId, 1, 5);
    await clock.advance(600);
    expect(redis.calls.map((call) => call.length)).toEqual([500, 500, 100]);
  });

  test('keeps what could not be sent, or a newer count in its place', async () => {
    const { redis, clock, counts } = new Stage();
    redis.steps = ['lost'];
    counts.publish(id(1), 1, 9);
    counts.publish(id(2), 1, 9);
    await clock.advance(200);
    expect(redis.values.size).toBe(0);
    counts.publish(id(1), 2, 8);
    redis.isUsable = false;
    await clock.advance(1_000);
    redis.isUsable = true;
    await clock.advance(200);
    expect([redis.values.get(keyOf(1)), redis.values.get(keyOf(2)), redis.calls.length]).toEqual([
      '2 8',
      '1 9',
      2,
    ]);
  });

  test('gives a Redis that comes back empty all of it again within 30 s', async () => {
    const { redis, clock, counts } = new Stage();
    counts.publish(id(1), 1, 9);
    await clock.advance(200);
    counts.publish(id(2), 4, 6);
    await clock.advance(200);
    redis.values.clear();
    await clock.advance(30_000);
    expect([...redis.values]).toEqual([
      [keyOf(1), '1 9'],
      [keyOf(2), '4 6'],
    ]);
  });

  test('keeps so many schedules and no more, those that changed last', async () => {
    const { redis, clock, counts } = new Stage(2);
    counts.publish(id(1), 1, 9);
    counts.publish(id(2), 1, 9);
    counts.publish(id(1), 2, 8);
    counts.publish(id(3), 1, 9);
    await clock.advance(200);
    expect([...redis.values.keys()]).toEqual([keyOf(1), keyOf(3)]);
    redis.values.clear();
    await clock.advance(30_000);
    expect([...redis.values.keys()]).toEqual([keyOf(1), keyOf(3)]);
  });

  test('ends with the node', async () => {
    const { redis, clock, counts } = new Stage();
    counts.publish(id(1), 1, 9);
    counts.close();
    counts.publish(id(1), 2, 8);
    await clock.advance(60_000);
    expect([redis.calls, clock.delaysMs]).toEqual([[], []]);
  });
});

describe('reading', () => {
  test('finds what is there', async () => {
    const stage = new Stage();
    stage.redis.values.set(keyOf(1), '12 34').set(keyOf(3), '9 0');
    expect(await stage.read(1, 2, 3)).toEqual([
      [1, 34],
      [3, 0],
    ]);
    expect(stage.redis.calls).toEqual([
      ['get available:one:1', 'get available:one:2', 'get available:one:3'],
    ]);
    expect(stage.seen).toEqual(['hit', 'miss', 'hit']);
  });

  test('of nothing asks nothing', async () => {
    const stage = new Stage();
    expect([await stage.read(), stage.redis.calls]).toEqual([[], []]);
  });

  test('goes by what was read within 200 ms, its absence included', async () => {
    const stage = new Stage();
    stage.redis.values.set(keyOf(1), '1 5');
    await stage.read(1, 2);
    stage.redis.values.set(keyOf(1), '2 4').set(keyOf(2), '2 4');
    await stage.clock.advance(199);
    expect(await stage.read(1, 2)).toEqual([[1, 5]]);
    await stage.clock.advance(1);
    expect(await stage.read(2, 1)).toEqual([
      [2, 4],
      [1, 4],
    ]);
    expect(stage.redis.calls).toHaveLength(2);
  });

  test('at once with others asks once', async () => {
    const stage = new Stage();
    stage.redis.values.set(keyOf(1), '1 5').set(keyOf(2), '1 6').set(keyOf(3), '1 7');
    stage.redis.hold();
    const readings = [stage.read(1, 2), stage.read(2, 3), stage.read(1, 2, 3)];
    stage.redis.release();
    expect((await Promise.all(readings)).map((found) => found.length)).toEqual([2, 2, 3]);
    expect(stage.redis.calls.map((call) => call.length)).toEqual([2, 1]);
  });

  test('of many is asked in pieces', async () => {
    const stage = new Stage();
    for (const value of ids(1_100)) stage.redis.values.set(keyOf(value), `1 ${value}`);
    expect((await stage.counts.read(ids(1_100))).get(id(1_100))).toBe(1_100);
    expect(stage.redis.calls.map((call) => call.length)).toEqual([500, 500, 100]);
  });

  test('finds nothing where Redis can’t be used, or loses the call; and asks again', async () => {
    const stage = new Stage();
    stage.redis.values.set(keyOf(1), '1 5');
    stage.redis.isUsable = false;
    expect(await stage.read(1)).toEqual([]);
    stage.redis.isUsable = true;
    stage.redis.steps = ['lost', 'answer-lost'];
    expect([await stage.read(1), await stage.read(1), await stage.read(1)]).toEqual([[], [], [[1, 5]]]);
    expect(stage.seen).toEqual(['bypass', 'bypass', 'bypass', 'hit']);
  });

  test('finds nothing where Redis refuses, or says something else', async () => {
    const stage = new Stage();
    stage.redis.refused.add(keyOf(1));
    stage.redis.values.set(keyOf(2), '5').set(keyOf(3), '1 -5').set(keyOf(4), '1 5 6').set(keyOf(5), '1 5');
    expect(await stage.read(1, 2, 3, 4, 5)).toEqual([[5, 5]]);
    expect(stage.seen).toEqual(['bypass', 'miss', 'miss', 'miss', 'hit']);
  });

  test('keeps no more than so many, and reads on', async () => {
    const stage = new Stage(3);
    for (const value of ids(9)) stage.redis.values.set(keyOf(value), '1 5');
    for (let round = 0; round < 3; round++) {
      for (const value of ids(9)) expect(await stage.read(value)).toEqual([[value, 5]]);
    }
  });
});
