import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Redis, startRedis } from '../../scripts/servers/redis.ts';
import { areAllStopped } from '../../scripts/servers/stopped-threads.ts';
import { clusterTiming } from '../../src/cluster/cluster-timing.ts';
import { sharedKafkaBrokers } from '../servers/shared-servers.ts';
import { Prng } from '../simulation/prng.ts';
import { auditFaults, Buyer, type Told } from './buyer.ts';
import { expectEventsOf } from './cluster-event-checks.ts';
import { Cluster } from './cluster-stage.ts';
import { reservationTopic, seatReservedTopic } from './event-contract.ts';
import { expectInMySql } from './mysql-history.ts';
import { noSetbacks, PatientBuyer } from './patient-buyer.ts';
import { Sale } from './sale.ts';
import { expectKept } from './sale-checks.ts';
import { createSchedule } from './small-hall.ts';
import { TopicReader } from './topic-reader.ts';

/**
 * A node dies, one freezes, and Redis loses its memory, while they sell: what was acknowledged is kept, sales go on,
 * and nobody answers for what is not theirs any more.
 */
const seed = Number(process.env['KILL_SEED'] ?? Date.now() % 1_000_000);

/** The lease and 2 s. The rest is for a machine that does other things as well. */
const sellsWithinMs = clusterTiming.leaseMs + 2_000 + 2_000;
/** I13, and the same rest. */
const wholeWithinMs = 10_000 + 2_000;
/**
 * Nothing is left to happen after the lease, the time of trust and the time for which calls are parked: 6 s in all.
 * `FROZEN_SECONDS=30 REDIS_DOWN_SECONDS=60` try it for as long as an operator may take.
 */
const frozenMs = Number(process.env['FROZEN_SECONDS'] ?? 9) * 1_000;
const redisIsDownMs = Number(process.env['REDIS_DOWN_SECONDS'] ?? 10) * 1_000;

let redis: Redis;
let cluster: Cluster;
let reader: TopicReader;
let sale: Sale;

beforeAll(async () => {
  console.log(`seed ${seed}`);
  redis = await startRedis();
  cluster = await Cluster.start({
    nodeIds: ['one', 'two', 'three'],
    redisUrl: redis.url,
    environment: { KAFKA_BROKERS: sharedKafkaBrokers() },
  });
  reader = await TopicReader.start([sharedKafkaBrokers()], [reservationTopic, seatReservedTopic]);
});

afterAll(async () => {
  await reader?.stop();
  await cluster?.stop();
  await redis?.stop();
});

beforeEach(async () => {
  sale = await Sale.open({
    node: cluster.next,
    prng: new Prng(seed),
    scheduleCount: 5,
    clientCount: 15,
    thinkMsMax: 100,
  });
  await sale.begin();
  await sale.hasSold(20);
});

afterEach(async () => {
  await sale.end();
  await expectInMySql(cluster.databaseUrl, sale);
  await expectKept(cluster.next(), sale);
  await expectEventsOf(cluster, reader, sale, sale.scheduleIds);
});

/** A schedule of which somebody else than `asked` has the shard, and who that is. */
async function hotSchedule(): Promise<{ scheduleId: number; ownerId: string }> {
  const scheduleId = await createSchedule(cluster.next(), { performanceId: sale.performanceId });
  return { scheduleId, ownerId: await cluster.ownerOf(scheduleId) };
}

const expectUnavailable = ({ status, body, headers, text }: Told) => {
  expect([status, body.code], text).toEqual([503, expect.stringMatching('shard-moving|store-unavailable')]);
  expect(headers.get('retry-after')).toBe('1');
};

test('the owner of a hot schedule is killed: sales go on, and it comes back', async () => {
  const { scheduleId, ownerId } = await hotSchedule();
  const ada = await PatientBuyer.of('ada', cluster.next);
  const hold = (seat: number) =>
    ada.post('/reservations', { scheduleId, seatIds: [`R1-${seat}`] }, `seat-${seat}`);
  const before = await hold(1);
  expect(before.status).toBe(201);

  cluster.node(ownerId).signal('SIGKILL');
  const killedMs = performance.now();
  cluster.takeOut(ownerId);
  expect((await hold(2)).status).toBe(201);
  expect(performance.now() - killedMs).toBeLessThan(sellsWithinMs);
  await cluster.becomesWhole(killedMs + wholeWithinMs - performance.now());
  expect((await hold(1)).text, 'told again').toBe(before.text);
  expect(await cluster.ownerOf(scheduleId)).not.toBe(ownerId);
  await sale.hasSold(20);

  await cluster.startNode(ownerId);
  await cluster.rebalance(20_000);
  expect(await cluster.shardsOf(ownerId)).toBeGreaterThan(0);
  await sale.hasSold(20);
  expect([...sale.setbacks.unavailable.keys()].filter((code) => code !== 'shard-moving')).toEqual([]);
});

test('the owner is frozen, and goes on: it knows nothing better than its successor', async () => {
  const { scheduleId, ownerId } = await hotSchedule();
  const owner = cluster.node(ownerId);
  const [ada, bob, carol, eve] = (await Promise.all(
    ['ada', 'bob', 'carol', 'eve'].map((name) => Buyer.of(cluster.next(), `${name}-frozen`)),
  )) as [Buyer, Buyer, Buyer, Buyer];
  const book = (buyer: Buyer, at: typeof owner, seatId: string, key?: string) =>
    buyer.call(at, 'POST', '/reservations', { scheduleId, seatIds: [seatId] }, key);
  const adas = await ada.hold(owner, scheduleId, 'R1-1');
  const carols = await carol.hold(owner, scheduleId, 'R1-3');

  owner.signal('SIGSTOP');
  while (!areAllStopped(owner.pid)) await delay(1);
  const frozenAtMs = performance.now();
  cluster.takeOut(ownerId);
  /** In its sockets before anybody knows. */
  const writes = Array.from({ length: 10 }, (_, seat) => book(bob, owner, `R2-${seat + 1}`, `write-${seat}`));

  const successor = cluster.next();
  const patientEve = await PatientBuyer.of('eve-frozen', cluster.next);
  const eves = await patientEve.post('/reservations', { scheduleId, seatIds: ['R1-4'] }, 'eves');
  expect(eves.status, eves.text).toBe(201);
  expect(performance.now() - frozenAtMs).toBeLessThan(sellsWithinMs);
  expect((await ada.call(successor, 'DELETE', `/reservations/${adas}`)).status).toBe(204);
  expect((await carol.call(successor, 'DELETE', `/reservations/${carols}`)).status).toBe(204);
  const { body: newest } = await seatsOf(successor, scheduleId);

  /** Of what has changed since it froze: each is as the successor knows it, or is not answered. */
  const askFrozenNode = async () => {
    const [read, free, again] = await Promise.all([
      ada.call(owner, 'GET', `/reservations/${adas}`),
      seatsOf(owner, scheduleId),
      book(eve, owner, 'R1-4', 'eves'),
    ]);
    if (read.status === 200) expect(read.body.status).toBe('CANCELLED');
    else expectUnavailable(read);
    if (free.status === 200) expect(free.body.seq).toBeGreaterThanOrEqual(newest.seq);
    else expectUnavailable(free);
    if (again.status === 201) expect(again.text).toBe(eves.text);
    else expectUnavailable(again);
    return [read, free, again].every(({ status }) => status < 300);
  };
  const askOnAndOn = async () => {
    await delay(Math.max(0, frozenAtMs + frozenMs - performance.now()));
    owner.signal('SIGCONT');
    for (let times = 0; times < 20; times += 1) await Promise.all([askFrozenNode(), delay(10)]);
  };
  // Carol has given her seat back: whoever says that it is taken remembers the past.
  const waiting = [book(bob, owner, 'R1-3', 'carols'), ...writes];
  await Promise.all([askFrozenNode(), askOnAndOn(), ...waiting]);
  for (const answer of await Promise.all(waiting)) {
    if (answer.status !== 201) expectUnavailable(answer);
    else expect(await bob.read(successor, answer.body.reservationId)).toMatchObject({ status: 'HELD' });
  }
  expect(await auditFaults(successor, scheduleId)).toEqual([]);

  cluster.putIn(ownerId);
  await cluster.becomesWhole(wholeWithinMs);
  expect(await askFrozenNode(), 'it asks its successor').toBe(true);
  await cluster.rebalance(20_000);
  expect(await cluster.shardsOf(ownerId)).toBeGreaterThan(0);
  await sale.hasSold(20);
});

async function seatsOf(node: { publicUrl: string }, scheduleId: number): Promise<Told> {
  const answer = await fetch(`${node.publicUrl}/reservations/available/seat?scheduleId=${scheduleId}`);
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, text, body: JSON.parse(text) };
}

test('Redis is killed and comes back empty: owners sell, and stay owners', async () => {
  const owners = await cluster.owners();
  await redis.kill9();
  await delay(redisIsDownMs);
  expect((await cluster.status()).registry).toBe('down');
  await sale.hasSold(20);
  await redis.restart();
  await cluster.becomesWhole(wholeWithinMs);
  // Whoever is taken for dead is so after a lease.
  await delay(clusterTiming.leaseMs + 2 * clusterTiming.beatEveryMs);
  await sale.hasSold(20);
  expect(await cluster.owners()).toEqual(owners);
  await cluster.becomesWhole(1_000);
  expect(sale.setbacks).toEqual(noSetbacks());
});
