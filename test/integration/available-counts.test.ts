import { setTimeout as delay } from 'node:timers/promises';
import { Redis as Client } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Redis, startRedis } from '../../scripts/servers/redis.ts';
import type { ScheduleId } from '../../src/actors/allocator/ids.ts';
import { RedisAvailableCounts } from '../../src/persistence/redis/redis-available-counts.ts';
import { systemClock } from '../../src/system-clock.ts';
import { SeededRandom } from '../unit/actors/seeded-random.ts';
import { RedisStage, until } from '../unit/redis/redis-stage.ts';

const id = (value: number): ScheduleId => value as ScheduleId;

let server: Redis;
let client: Client;
let installationId: string;
let stages: RedisStage[] = [];
let nodes: RedisAvailableCounts[] = [];
beforeAll(async () => {
  server = await startRedis();
});
beforeEach(() => {
  client = new Client(server.url);
  client.on('error', () => {});
  installationId = `test${Math.random().toString(36).slice(2)}`;
});
afterEach(async () => {
  server.resume();
  client.disconnect();
  for (const node of nodes) node.close();
  for (const { redis } of stages) await redis.close();
  [stages, nodes] = [[], []];
});
afterAll(() => server.stop());

async function open(options: { readonly lifeMs?: number; readonly refreshEveryMs?: number } = {}) {
  const stage = await RedisStage.connected(server.url);
  const counts = new RedisAvailableCounts({
    redis: stage.redis,
    clock: systemClock,
    observer: { onRequest: () => {} },
    installationId,
    flushEveryMs: 20,
    freshMs: 0,
    ...options,
  });
  stages.push(stage);
  nodes.push(counts);
  return { counts, redis: stage.redis };
}

const keyOf = (value: number): string => `usher:available:${installationId}:${value}`;
const read = async (counts: RedisAvailableCounts, ...scheduleIds: number[]) => [
  ...(await counts.read(scheduleIds.map(id))),
];

/** Until Redis says so. */
async function stored(value: number, text: string): Promise<void> {
  const deadlineMs = performance.now() + 5_000;
  while ((await client.get(keyOf(value))) !== text) {
    if (performance.now() > deadlineMs) throw new Error(`${keyOf(value)} is not ${text}`);
    await delay(5);
  }
}

describe('counts', () => {
  test('that a node publishes are read by another, and end some time after it has stopped', async () => {
    const [owner, other] = [await open({ lifeMs: 400 }), await open()];
    owner.counts.publish(id(1), 3, 97);
    owner.counts.publish(id(2), 1, 0);
    await stored(2, '1 0');
    expect(await read(other.counts, 1, 2, 3)).toEqual([
      [1, 97],
      [2, 0],
    ]);
    await delay(450);
    expect(await read(other.counts, 1, 2, 3)).toEqual([]);
  });

  test('stay as long as their owner says them again, though nothing changes', async () => {
    const owner = await open({ lifeMs: 300, refreshEveryMs: 50 });
    owner.counts.publish(id(1), 3, 97);
    await stored(1, '3 97');
    await delay(700);
    expect(await client.get(keyOf(1))).toBe('3 97');
  });

  test('of a node that has lost its shard and does not know do not come back', async () => {
    const [frozen, owner] = [await open({ refreshEveryMs: 30 }), await open()];
    frozen.counts.publish(id(1), 9, 50);
    await stored(1, '9 50');
    owner.counts.publish(id(1), 10, 49);
    await stored(1, '10 49');
    // It says 9 again every 30 ms, and once more as if it were new.
    frozen.counts.publish(id(1), 9, 50);
    await delay(200);
    expect(await client.get(keyOf(1))).toBe('10 49');
    // As numbers, not as text.
    owner.counts.publish(id(1), 100, 7);
    await stored(1, '100 7');
  });

  test('from many nodes in any order end with the last event’s', async () => {
    const seed = Number(process.env['TEST_SEED'] ?? Date.now() % 1_000_000);
    const random = new SeededRandom(seed);
    const publishers = [await open(), await open(), await open()];
    for (let round = 0; round < 300; round++) {
      const seq = random.between(1, 1_000);
      random.pick(publishers).counts.publish(id(1), seq, 2_000 - seq);
      if (random.chance(10)) await delay(random.int(25));
    }
    for (const { counts } of publishers) counts.publish(id(2), 1, 1);
    random.pick(publishers).counts.publish(id(1), 1_001, 999);
    await delay(100);
    expect([seed, await client.get(keyOf(1))]).toEqual([seed, '1001 999']);
  });

  test('take the place of what is none', async () => {
    const owner = await open();
    await client.set(keyOf(1), 'nonsense');
    await client.rpush(keyOf(2), 'a list');
    expect(await read(owner.counts, 1, 2)).toEqual([]);
    owner.counts.publish(id(1), 1, 5);
    owner.counts.publish(id(2), 1, 5);
    owner.counts.publish(id(3), 1, 5);
    await stored(3, '1 5');
    expect(await read(owner.counts, 1, 2, 3)).toEqual([
      [1, 5],
      [3, 5],
    ]);
  });
});

describe('a Redis in trouble', () => {
  test('that hangs costs the time limit a few times, then nothing; what was published is there later', async () => {
    const { counts, redis } = await open();
    counts.publish(id(1), 1, 5);
    await stored(1, '1 5');
    server.suspend();
    for (let attempt = 1; redis.isUsable; attempt++) {
      const startedMs = performance.now();
      expect(await read(counts, 1)).toEqual([]);
      expect(performance.now() - startedMs).toBeLessThan(200);
      expect(attempt).toBeLessThanOrEqual(3);
    }
    const startedMs = performance.now();
    expect(await read(counts, 1)).toEqual([]);
    expect(performance.now() - startedMs).toBeLessThan(40);
    counts.publish(id(1), 2, 4);
    await delay(100);
    server.resume();
    await stored(1, '2 4');
  });

  test('that comes back empty is told again', async () => {
    const { counts, redis } = await open({ refreshEveryMs: 100 });
    counts.publish(id(1), 1, 5);
    counts.publish(id(2), 7, 6);
    await stored(2, '7 6');
    await server.kill9();
    await server.restart();
    await until(() => redis.isUsable, 10_000);
    await stored(1, '1 5');
    await stored(2, '7 6');
  });
});
