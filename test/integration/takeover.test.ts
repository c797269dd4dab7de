import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { MysqlCuttingProxy } from '../../scripts/servers/mysql-cutting-proxy.ts';
import { areAllStopped } from '../../scripts/servers/stopped-threads.ts';
import { sharedKafkaBrokers, sharedMariaDb, sharedRedisUrl } from '../servers/shared-servers.ts';
import { Prng } from '../simulation/prng.ts';
import { auditFaults, Buyer } from './buyer.ts';
import { expectEvents } from './event-checks.ts';
import { reservationTopic, seatReservedTopic } from './event-contract.ts';
import { metricOf } from './metric.ts';
import { expectInMySql, queryMySql } from './mysql-history.ts';
import { Sale } from './sale.ts';
import { expectKept } from './sale-checks.ts';
import { createSchedule } from './small-hall.ts';
import { Strangers } from './strangers.ts';
import { TopicReader } from './topic-reader.ts';
import { temporaryDirectory, UsherProcess } from './usher-process.ts';

/**
 * Two processes on one database (I3): the second takes everything over while the first is frozen, or runs; and the
 * first, when it goes on, writes nothing and says so to everybody who writes to it.
 */
const sellsWithinMs = 8_000;
const seed = Number(process.env['KILL_SEED'] ?? Date.now() % 1_000_000);

const directory = temporaryDirectory();
let databaseUrl: string;
let proxy: MysqlCuttingProxy;
let first: UsherProcess;
let second: UsherProcess | undefined;
let sale: Sale;
let reader: TopicReader;

const start = (mysqlUrl: string) =>
  UsherProcess.start(directory.path, {
    MYSQL_URL: mysqlUrl,
    REDIS_URL: sharedRedisUrl(),
    KAFKA_BROKERS: sharedKafkaBrokers(),
    // Longer than it is frozen: who pays is told the end.
    PAY_WAIT_MAX_MS: '20000',
  });

beforeEach(async () => {
  second = undefined;
  databaseUrl = await sharedMariaDb().createDatabase();
  proxy = await MysqlCuttingProxy.start(databaseUrl);
  first = await start(proxy.url);
  // The broker is shared with others, whose schedules have other ids.
  await queryMySql(
    databaseUrl,
    `UPDATE catalog_counter SET last_id = ${Date.now() % 1e9} WHERE name = 'schedule'`,
  );
  sale = await Sale.open({ node: () => second ?? first, prng: new Prng(seed), scheduleCount: 5 });
  await expect.poll(() => metricOf(first, 'usher_publisher_connected'), { timeout: 30_000 }).toBe(1);
  reader = await TopicReader.start([sharedKafkaBrokers()], [reservationTopic, seatReservedTopic]);
});

afterEach(async () => {
  await reader?.stop();
  await first?.stop('SIGKILL');
  await second?.stop('SIGKILL');
  await proxy?.stop();
  await sharedMariaDb().dropDatabase(databaseUrl);
});

afterAll(() => directory.remove());

async function freeze(): Promise<void> {
  first.signal('SIGSTOP');
  while (!areAllStopped(first.pid)) await delay(1);
}

/** Whether somebody's transaction has a row of the fence. */
async function isFenceHeld(): Promise<boolean> {
  const rows = await queryMySql(databaseUrl, 'SELECT shard_id FROM shard FOR UPDATE SKIP LOCKED');
  return rows.length < 256;
}

const lastSeqs = async (): Promise<ReadonlyMap<number, number>> => {
  const rows = await queryMySql(
    databaseUrl,
    'SELECT schedule_id, MAX(seq) AS seq FROM event_log GROUP BY schedule_id',
  );
  return new Map(rows.map((row) => [row['schedule_id'], row['seq']]));
};

async function expectSellsSoon(scheduleId: number, seatId: string): Promise<void> {
  const startedMs = performance.now();
  second = await start(databaseUrl);
  const eve = await Buyer.of(second, 'eve');
  await eve.hold(second, scheduleId, seatId);
  expect(performance.now() - startedMs).toBeLessThan(sellsWithinMs);
}

const states = ['frozen in the middle of a batch', 'frozen at any time', 'still running'] as const;

test.each(states)('the first is %s, under load', async (state) => {
  const isFrozen = state !== 'still running';
  const [early, late] = [await Strangers.of(first, sale, 'early'), await Strangers.of(first, sale, 'late')];
  const evesScheduleId = await createSchedule(first, { performanceId: sale.performanceId });
  await sale.begin();
  await sale.hasSold(100);
  if (state === 'frozen in the middle of a batch') {
    proxy.delayAnswersMs = 100;
    await expect.poll(isFenceHeld, { interval: 5, timeout: 10_000 }).toBe(true);
  }
  if (isFrozen) await freeze();
  if (state === 'frozen in the middle of a batch') {
    proxy.delayAnswersMs = 0;
    await delay(300);
    expect(await isFenceHeld(), 'rows without a COMMIT').toBe(true);
  }
  const ofFirst = await lastSeqs();
  const waiting = isFrozen ? early.write(first) : undefined;
  await expectSellsSoon(evesScheduleId, 'R1-1');
  await sale.begin('later');
  await sale.hasSold(50);

  first.signal('SIGCONT');
  const told = await (waiting ?? early.write(first));
  // What is in a batch with others is refused with them. The late ones are alone.
  told.push(...(await late.write(first)), ...(await late.write(first)));
  for (const { status, body, headers } of told) {
    expect([status, body.code, headers.get('retry-after')]).toEqual([503, 'shard-moving', '1']);
  }
  const readiness = await fetch(`${first.publicUrl}/readyz`);
  expect([readiness.status, await readiness.text()]).toEqual([503, expect.stringContaining('taken over')]);

  await sale.hasSold(50);
  await sale.end();
  expect([...sale.setbacks.unavailable.keys()]).toEqual(['shard-moving']);
  await expectKept(second!, sale);
  await expectInMySql(databaseUrl, sale);
  const seqs = await lastSeqs();
  for (const { scheduleId } of [early, late]) {
    expect(seqs.get(scheduleId), 'nothing of the first').toBe(ofFirst.get(scheduleId));
    expect(await auditFaults(second!, scheduleId)).toEqual([]);
  }
  for (const [scheduleId, seq] of seqs) await expectEvents(reader, sale, scheduleId, seq);
});

test('the first is frozen in the middle of a payment: whoever ends it, it is charged once', async () => {
  const [scheduleId] = sale.scheduleIds as [number];
  const ada = await Buyer.of(first, 'ada');
  await ada.charge(first, 10_000, 'first');
  const reservationId = await ada.hold(first, scheduleId, 'R1-1');
  proxy.delayAnswersMs = 100;
  const paying = ada.pay(first, reservationId, undefined, 'my-payment');
  const account = "SELECT * FROM point_account WHERE user_id = 'ada' FOR UPDATE SKIP LOCKED";
  await expect.poll(() => queryMySql(databaseUrl, account), { interval: 5, timeout: 10_000 }).toHaveLength(0);
  await freeze();
  proxy.delayAnswersMs = 0;
  expect(await queryMySql(databaseUrl, account)).toHaveLength(0);

  await expectSellsSoon(scheduleId, 'R1-2');
  await ada.settled(second!, reservationId, 'PAYING', 10_000);
  const paid = await ada.pay(second!, reservationId, undefined, 'my-payment');
  expect(paid, paid.text).toMatchObject({ status: 200, body: { status: 'PAID' } });
  first.signal('SIGCONT');
  const told = await paying;
  expect(told, told.text).toMatchObject({ status: 503, body: { code: 'shard-moving' } });
  await delay(1_000);

  expect(await ada.balance(second!)).toBe(5_500);
  expect((await ada.entries(second!)).map(({ kind }) => kind)).toEqual(['payment', 'charge']);
  expect(await auditFaults(second!, scheduleId)).toEqual([]);
});

test('the first is only read: it learns of the second by itself, and shows nothing that is over', async () => {
  const [scheduleId] = sale.scheduleIds as [number];
  const ada = await Buyer.of(first, 'ada');
  const reservationId = await ada.hold(first, scheduleId, 'R1-1');
  await expectSellsSoon(scheduleId, 'R1-2');
  expect((await ada.call(second!, 'DELETE', `/reservations/${reservationId}`)).status).toBe(204);
  const patience = { timeout: 10_000, interval: 100 };
  await expect.poll(() => ada.read(first, reservationId), patience).toMatchObject({ code: 'shard-moving' });
  const free = `${first.publicUrl}/reservations/available/seat?scheduleId=${scheduleId}`;
  expect((await fetch(free)).status).toBe(503);
  expect((await fetch(`${first.publicUrl}/readyz`)).status).toBe(503);
  expect(await ada.read(second!, reservationId)).toMatchObject({ status: 'CANCELLED' });
});
