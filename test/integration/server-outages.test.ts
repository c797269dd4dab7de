import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Kafka, startKafka } from '../../scripts/servers/kafka.ts';
import {
  type MariaDb,
  type MariaDbReplica,
  startMariaDb,
  startReplica,
} from '../../scripts/servers/mariadb.ts';
import { type Redis, startRedis } from '../../scripts/servers/redis.ts';
import { Prng } from '../simulation/prng.ts';
import { Buyer, type Told } from './buyer.ts';
import { expectEvents } from './event-checks.ts';
import { reservationTopic, seatReservedTopic } from './event-contract.ts';
import { metricOf } from './metric.ts';
import { expectInMySql, queryMySql } from './mysql-history.ts';
import { Sale } from './sale.ts';
import { expectKept } from './sale-checks.ts';
import { createSchedule } from './small-hall.ts';
import { TopicReader } from './topic-reader.ts';
import { temporaryDirectory, UsherProcess } from './usher-process.ts';

/** Servers go away and come back while it sells. The node stays: nobody restarts it. */
const directory = temporaryDirectory();
let primary: MariaDb;
let replica: MariaDbReplica;
let redis: Redis;
let kafka: Kafka;
let usher: UsherProcess;
let sale: Sale;

beforeAll(async () => {
  const startMySql = async () => {
    primary = await startMariaDb();
    replica = await startReplica(primary);
  };
  [redis, kafka] = await Promise.all([startRedis(), startKafka(), startMySql()]);
  usher = await UsherProcess.start(directory.path, {
    MYSQL_URL: primary.url,
    MYSQL_READ_URL: replica.url,
    REDIS_URL: redis.url,
    KAFKA_BROKERS: kafka.brokers,
  });
  await vi.waitUntil(async () => (await metricOf(usher, 'usher_publisher_connected')) === 1, {
    timeout: 30_000,
  });
});
afterAll(async () => {
  await usher?.stop('SIGKILL');
  await Promise.all([replica, redis, kafka].map((server) => server?.stop()));
  await primary?.stop();
  directory.remove();
});

beforeEach(async () => {
  sale = await Sale.open({ node: () => usher, prng: new Prng(1), clientCount: 10, scheduleCount: 5 });
  await sale.begin();
  await sale.hasSold(20);
});
/** The sale goes on in each of the tests, and this is what it comes to. */
afterEach(async () => {
  await sale.end();
  await expectKept(usher, sale);
});

/** A person waits for a list. */
const listLimitMs = 6_000;

const noSetback = () => expect([sale.setbacks.lostAnswers, [...sale.setbacks.unavailable]]).toEqual([0, []]);
const isReady = async () => (await fetch(`${usher.publicUrl}/readyz`)).status === 200;

test('Kafka: events wait, and come in their order', async () => {
  await kafka.kill9();
  await expect
    .poll(() => metricOf(usher, 'usher_unpublished_events'), { timeout: 20_000 })
    .toBeGreaterThan(50);
  expect(await metricOf(usher, 'usher_publisher_connected')).toBe(0);
  await sale.hasSold(50);
  expect(await isReady()).toBe(true);
  await kafka.restart();
  await expect.poll(() => metricOf(usher, 'usher_publisher_connected'), { timeout: 30_000 }).toBe(1);
  await sale.end();
  await expect.poll(() => metricOf(usher, 'usher_unpublished_events'), { timeout: 10_000 }).toBe(0);
  noSetback();
  const reader = await TopicReader.start([kafka.brokers], [reservationTopic, seatReservedTopic]);
  try {
    for (const scheduleId of sale.scheduleIds) {
      const counts = await (await usher.admin('GET', `/admin/schedules/${scheduleId}`)).json();
      await expectEvents(reader, sale, scheduleId, (counts as { seq: number }).seq);
    }
  } finally {
    await reader.stop();
  }
});

test('Redis: balances are right, and nothing waits for it', async () => {
  const scheduleId = await createSchedule(usher, { performanceId: sale.performanceId });
  const ada = await Buyer.of(usher, 'ada');
  let balance = 0;
  let seat = 0;
  const spend = async () => {
    const startedMs = performance.now();
    for (let time = 0; time < 5; time++) {
      seat += 1;
      expect((await ada.charge(usher, 5_000, `charge-${seat}`)).body).toMatchObject({
        balance: balance + 5_000,
      });
      const paid = await ada.pay(usher, await ada.hold(usher, scheduleId, `R1-${seat}`));
      expect(paid.status, paid.text).toBe(200);
      balance += 500;
      expect(await ada.balance(usher)).toBe(balance);
    }
    expect(performance.now() - startedMs).toBeLessThan(5_000);
  };
  await redis.suspend();
  await spend();
  redis.resume();
  await spend();
  await redis.kill9();
  await spend();
  expect(await isReady()).toBe(true);
  await redis.restart();
  await expect.poll(() => metricOf(usher, 'usher_redis_connected'), { timeout: 10_000 }).toBe(1);
  await spend();
  noSetback();
});

describe('the replica', () => {
  let eve: Buyer;
  let scheduleId: number;
  let seat = 0;
  beforeEach(async () => {
    eve = await Buyer.of(usher, `eve-${seat}`);
    scheduleId = await createSchedule(usher, { performanceId: sale.performanceId });
  });
  const replicaReads = () => metricOf(usher, 'usher_pool_gets_total{pool="replica"}');
  const hold = async () => {
    seat += 1;
    await eve.charge(usher, 1, `charge-${seat}`);
    return await eve.hold(usher, scheduleId, `R1-${seat}`);
  };
  /** What the lists show; each is asked once. */
  const listed = async () => {
    const answer = await eve.call(usher, 'GET', '/reservations');
    expect(answer.status, answer.text).toBe(200);
    const entries = await eve.entries(usher);
    return { reservations: answer.body.reservations.length, entries: entries.length };
  };

  test('has the lists, as it is', async () => {
    await hold();
    await expect.poll(listed, { timeout: 10_000 }).toEqual({ reservations: 1, entries: 1 });
    await queryMySql(replica.rootUrl, 'STOP SLAVE');
    await hold();
    await delay(1_000);
    expect(await listed()).toEqual({ reservations: 1, entries: 1 });
    await queryMySql(replica.rootUrl, 'START SLAVE');
    await expect.poll(listed, { timeout: 10_000 }).toEqual({ reservations: 2, entries: 2 });
    noSetback();
  });

  const inUse = async () => {
    const before = await replicaReads();
    await listed();
    return (await replicaReads()) > before;
  };

  test.each(['killed', 'frozen'] as const)('is %s: the primary has them', async (how) => {
    await hold();
    // One that has not answered is left alone for a while.
    await expect.poll(inUse, { timeout: 10_000 }).toBe(true);
    if (how === 'killed') await replica.kill9();
    else await replica.suspend();
    try {
      await hold();
      const startedMs = performance.now();
      await listed();
      expect(performance.now() - startedMs).toBeLessThan(listLimitMs);
      await expect.poll(listed, { timeout: 10_000 }).toEqual({ reservations: 2, entries: 2 });
    } finally {
      if (how === 'killed') await replica.restart();
      else replica.resume();
    }
    noSetback();
  });
});

describe('the primary', () => {
  /** Somebody who does not ask again: what he was told, and how long each answer took. */
  async function writesDuring(ms: number): Promise<readonly { told: Told; tookMs: number }[]> {
    const writes: Promise<{ told: Told; tookMs: number }>[] = [];
    for (const endMs = performance.now() + ms; performance.now() < endMs; await delay(500)) {
      const startedMs = performance.now();
      const write = bob.call(usher, 'POST', '/reservations', { scheduleId, seatIds: ['R1-1'] });
      writes.push(write.then((told) => ({ told, tookMs: performance.now() - startedMs })));
    }
    return Promise.all(writes);
  }

  let bob: Buyer;
  let scheduleId: number;
  beforeEach(async () => {
    bob = await Buyer.of(usher, 'bob');
    scheduleId = await createSchedule(usher, { performanceId: sale.performanceId });
    // Its schedule is in memory: what comes is decided, and waits for the disk.
    await bob.hold(usher, scheduleId, 'R1-2');
  });

  test.each([
    ['killed', 9_000],
    // Nobody tells that it is gone: each attempt has to wait until its limit.
    ['frozen', 14_000],
  ] as const)('is %s: 503 in time, and on by itself when it is back', async (how, answerLimitMs) => {
    if (how === 'killed') await primary.kill9();
    else await primary.suspend();
    try {
      const isOver = new AbortController();
      const readiness = readinessUntil(isOver.signal);
      for (const { told, tookMs } of await writesDuring(8_000)) {
        expect(told.body).toMatchObject({ status: 503, code: 'store-unavailable', retryable: true });
        expect(told.headers.get('retry-after')).toBe('1');
        expect(tookMs).toBeLessThan(answerLimitMs);
      }
      isOver.abort();
      expect(await readiness).toEqual([expect.stringContaining('the store d')]);
    } finally {
      if (how === 'killed') await primary.restart();
      else primary.resume();
    }

    await sale.hasSold(20);
    await expect.poll(isReady, { timeout: 10_000 }).toBe(true);
    expect([...sale.setbacks.unavailable.keys()]).toEqual(['store-unavailable']);
    await sale.end();
    await expectInMySql(primary.url, sale);
  });

  /** What /readyz says, each thing once, after the time that it may take to find out. */
  async function readinessUntil(end: AbortSignal): Promise<readonly string[]> {
    await delay(5_000);
    const said = new Set<string>();
    while (!end.aborted) {
      const { reasons = ['ready'] } = (await (await fetch(`${usher.publicUrl}/readyz`)).json()) as {
        reasons?: readonly string[];
      };
      said.add(reasons[0]!);
      await delay(200);
    }
    return [...said];
  }
});
