import { setTimeout as delay } from 'node:timers/promises';
import { Redis as Client } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Redis, startRedis } from '../../scripts/servers/redis.ts';
import type { UserId } from '../../src/actors/allocator/ids.ts';
import { until } from '../unit/redis/redis-stage.ts';
import { type BalanceNode, BalanceNodes, patient } from './balance-nodes.ts';

const ann = 'ann' as UserId;

let server: Redis;
beforeAll(async () => {
  server = await startRedis();
});
afterEach(() => server.resume());
afterAll(() => server.stop());

async function timed<T>(call: Promise<T>): Promise<{ value: T; tookMs: number }> {
  const startedMs = performance.now();
  return { value: await call, tookMs: performance.now() - startedMs };
}

/** Has the node read it until Redis has it. */
async function store(node: BalanceNode, userId: UserId): Promise<void> {
  const hits = node.count('hit');
  for (let attempt = 1; node.count('hit') === hits; attempt++) {
    if (attempt > 1_000) throw new Error(`Redis does not keep the balance of ${userId}`);
    await node.balanceOf(userId);
    await delay(1);
  }
}

async function withClient<T>(work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client(server.url);
  try {
    return await work(client);
  } finally {
    client.disconnect();
  }
}

describe('a Redis that does as it is told', () => {
  test('keeps a balance for its life, and every node reads it', async () => {
    await using nodes = await BalanceNodes.open(server.url);
    const [first, second] = [await nodes.node(patient), await nodes.node(patient)];
    expect([await nodes.charge(first, ann, 700), await first.balanceOf(ann)]).toEqual([700, 700]);
    await until(() => first.count('stored') === 1);
    expect([await second.balanceOf(ann), await first.balanceOf(ann), nodes.reads]).toEqual([700, 700, 1]);
    await withClient(async (client) => {
      const [key = ''] = await client.keys(`usher:balance:${nodes.installationId}:0:ann`);
      expect(await client.get(key)).toBe('balance:700');
      expect(await client.pttl(key)).toBeGreaterThan(50_000);
      expect(await client.pttl(key)).toBeLessThanOrEqual(60_000);
    });
  });

  test('forgets it when that is over', async () => {
    await using nodes = await BalanceNodes.open(server.url);
    const node = await nodes.node({ ttlSeconds: 1 });
    await store(node, ann);
    await nodes.chargeBehindTheCache(ann, 5);
    expect(await node.balanceOf(ann)).toBe(0);
    await delay(1_050);
    expect(await node.balanceOf(ann)).toBe(5);
  });

  test('shows a charge to every node as soon as it is answered', async () => {
    await using nodes = await BalanceNodes.open(server.url);
    const [first, second] = [await nodes.node(patient), await nodes.node(patient)];
    for (let balance = 1; balance <= 100; balance++) {
      const [writer, reader] = balance % 2 === 0 ? [first, second] : [second, first];
      await store(reader, ann);
      await nodes.charge(writer, ann, 1);
      expect([await reader.balanceOf(ann), await writer.balanceOf(ann)]).toEqual([balance, balance]);
    }
  });
});

describe('a read and a change', () => {
  /** Two nodes; reads of the ledger stop before or after they looked, until they are released. */
  async function racing(where: 'beforeRead' | 'afterRead') {
    const nodes = await BalanceNodes.open(server.url);
    const [reader, writer] = [await nodes.node(patient), await nodes.node(patient)];
    const gate = Promise.withResolvers<void>();
    nodes.delays[where] = () => gate.promise;
    const reading = reader.balanceOf(ann);
    await until(() => nodes.reads === 1);
    return { nodes, reader, writer, reading, release: () => gate.resolve() };
  }

  test('read, change, store: it is not stored', async () => {
    const { nodes, reader, writer, reading, release } = await racing('afterRead');
    await using _ = nodes;
    await nodes.charge(writer, ann, 5);
    release();
    expect(await reading).toBe(0);
    await until(() => reader.count('refused') === 1);
    expect([await reader.balanceOf(ann), await writer.balanceOf(ann)]).toEqual([5, 5]);
  });

  test('read, store, change: it is deleted', async () => {
    const { nodes, reader, writer, reading, release } = await racing('afterRead');
    await using _ = nodes;
    release();
    expect(await reading).toBe(0);
    await until(() => reader.count('stored') === 1);
    await nodes.charge(writer, ann, 5);
    expect([await reader.balanceOf(ann), await writer.balanceOf(ann)]).toEqual([5, 5]);
  });

  test('read, change, read by another, store: only the later one is stored', async () => {
    const { nodes, reader, writer, reading, release } = await racing('afterRead');
    await using _ = nodes;
    await nodes.charge(writer, ann, 5);
    const gate = Promise.withResolvers<void>();
    nodes.delays.afterRead = () => gate.promise;
    const [later, sameNode] = [writer.balanceOf(ann), reader.balanceOf(ann)];
    await until(() => nodes.reads === 3);
    release();
    expect(await reading).toBe(0);
    await until(() => reader.count('refused') === 1);
    gate.resolve();
    expect([await later, await sameNode]).toEqual([5, 5]);
    await until(() => writer.count('stored') + reader.count('stored') === 1);
    expect([await reader.balanceOf(ann), await writer.balanceOf(ann), nodes.reads]).toEqual([5, 5, 3]);
  });

  test('read while a change is being committed, and stored before its end: it is deleted', async () => {
    await using nodes = await BalanceNodes.open(server.url);
    const [reader, writer] = [await nodes.node(patient), await nodes.node(patient)];
    const gate = Promise.withResolvers<void>();
    nodes.delays.beforeCommit = () => gate.promise;
    const charging = nodes.charge(writer, ann, 5);
    await delay(20);
    await store(reader, ann);
    gate.resolve();
    expect(await charging).toBe(5);
    expect([await reader.balanceOf(ann), await writer.balanceOf(ann)]).toEqual([5, 5]);
  });

  test('change, read: what is read under a lease that is gone is right, and not stored', async () => {
    const { nodes, reader, writer, reading, release } = await racing('beforeRead');
    await using _ = nodes;
    await nodes.charge(writer, ann, 5);
    release();
    expect(await reading).toBe(5);
    await until(() => reader.count('refused') === 1);
    expect(await reader.balanceOf(ann)).toBe(5);
  });
});

describe('a Redis that hangs', () => {
  test('costs its time limit a few times, then nothing; nothing fails, and nothing stale is left', async () => {
    await using nodes = await BalanceNodes.open(server.url);
    const [first, second] = [await nodes.node(), await nodes.node()];
    await nodes.charge(first, ann, 10);
    await store(second, ann);

    server.suspend();
    for (let attempt = 1; attempt <= 3; attempt++) {
      const { value, tookMs } = await timed(first.balanceOf(ann));
      expect(value).toBe(10);
      expect(tookMs).toBeGreaterThan(45);
      expect(tookMs).toBeLessThan(200);
    }
    expect([first.redis.isUsable, first.timeouts]).toEqual([false, 3]);
    for (let amount = 1; amount <= 5; amount++) {
      const charging = await timed(nodes.charge(first, ann, 1));
      const reading = await timed(first.balanceOf(ann));
      expect([charging.value, reading.value]).toEqual([10 + amount, 10 + amount]);
      expect(charging.tookMs + reading.tookMs).toBeLessThan(40);
    }
    expect([first.pending, first.timeouts]).toEqual([1, 3]);
    // The first charge of a node that has not noticed yet waits as long as one call may.
    const charging = await timed(nodes.charge(second, ann, 1));
    expect(charging.value).toBe(16);
    expect(charging.tookMs).toBeLessThan(200);

    server.resume();
    await until(() => first.redis.isUsable && second.redis.isUsable);
    await until(() => first.pending + second.pending === 0);
    expect([await first.balanceOf(ann), await second.balanceOf(ann)]).toEqual([16, 16]);
    const hits = first.count('hit');
    await until(() => first.count('stored') + second.count('stored') > 1);
    await first.balanceOf(ann);
    expect(first.count('hit')).toBe(hits + 1);
  });

  test('for longer than the connection is kept is connected to again', async () => {
    await using nodes = await BalanceNodes.open(server.url);
    const node = await nodes.node();
    await store(node, ann);
    server.suspend();
    await nodes.charge(node, ann, 3);
    await delay(2_500);
    expect(await node.balanceOf(ann)).toBe(3);
    server.resume();
    await until(() => node.redis.isUsable, 10_000);
    await until(() => node.pending === 0);
    expect(await node.balanceOf(ann)).toBe(3);
  });

  test('with more deletions due than are kept voids all that it has', async () => {
    await using nodes = await BalanceNodes.open(server.url);
    const users = Array.from({ length: 6 }, (_, index) => `u${index}` as UserId);
    const [first, second] = [await nodes.node({ pendingUsersMax: 4 }), await nodes.node()];
    for (const userId of users) await store(second, userId);
    server.suspend();
    await Promise.all(users.map((userId) => nodes.charge(first, userId, 9)));
    expect(first.pending).toBe(Number.POSITIVE_INFINITY);
    expect(await first.balanceOf(ann)).toBe(0);
    server.resume();
    await until(() => first.count('raised') === 1);
    for (const userId of users) {
      expect([await second.balanceOf(userId), await first.balanceOf(userId)]).toEqual([9, 9]);
    }
    const lifeMs = await withClient((client) =>
      client.pttl(`usher:balance:${nodes.installationId}:generation`),
    );
    expect(lifeMs).toBeGreaterThan(23 * 3_600_000);
  });
});

test('a Redis that is killed and comes back empty: nobody notices but the ledger', async () => {
  await using nodes = await BalanceNodes.open(server.url);
  const [first, second] = [await nodes.node(), await nodes.node()];
  await nodes.charge(first, ann, 1);
  await store(first, ann);
  await server.kill9();
  for (let amount = 2; amount <= 20; amount++) {
    expect((await timed(nodes.charge(first, ann, 1))).tookMs).toBeLessThan(100);
    expect([await first.balanceOf(ann), await second.balanceOf(ann)]).toEqual([amount, amount]);
  }
  await server.restart();
  await until(() => first.redis.isUsable && second.redis.isUsable && first.pending === 0, 10_000);
  await store(second, ann);
  expect([await first.balanceOf(ann), await second.balanceOf(ann)]).toEqual([20, 20]);
  expect([first.seen.at(-1), second.seen.at(-1)]).toEqual(['hit', 'hit']);
});
