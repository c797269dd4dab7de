import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { packageVersion } from '../../src/cli/package-version.ts';
import { sharedKafkaBrokers, sharedRedisUrl } from '../servers/shared-servers.ts';
import { Prng } from '../simulation/prng.ts';
import { runCluster } from './cluster-command.ts';
import { expectEventsOf } from './cluster-event-checks.ts';
import { installNextVersion, nextVersion } from './cluster-next-version.ts';
import { Payers } from './cluster-payers.ts';
import { Cluster, shardIdOf } from './cluster-stage.ts';
import { reservationTopic, seatReservedTopic } from './event-contract.ts';
import { expectInMySql } from './mysql-history.ts';
import { noSetbacks } from './patient-buyer.ts';
import { type Booking, cancel, Sale, type Whim } from './sale.ts';
import { expectKept } from './sale-checks.ts';
import { TopicReader } from './topic-reader.ts';

/**
 * Shards move between nodes while they are sold, and nodes come and go, and nobody notices: no request fails, nothing
 * that was acknowledged is lost, and the events of each schedule come in their order, whoever published them.
 */
const seed = Number(process.env['MOVE_SEED'] ?? Date.now() % 1_000_000);
const movesMin = 150;
/** The clients ask for some 700, on a machine that has nothing else to do. */
const requestsPerSecondMin = 200;

const next = installNextVersion();
let cluster: Cluster;
let reader: TopicReader;
let prng: Prng;
let sale: Sale;
let payers: Payers;

beforeAll(async () => {
  console.log(`seed ${seed}`);
  cluster = await Cluster.start({
    nodeIds: ['one', 'two', 'three'],
    redisUrl: sharedRedisUrl(),
    environment: { KAFKA_BROKERS: sharedKafkaBrokers() },
  });
  reader = await TopicReader.start([sharedKafkaBrokers()], [reservationTopic, seatReservedTopic]);
});

afterAll(async () => {
  await reader?.stop();
  await cluster?.stop();
  next.remove();
});

beforeEach(async () => {
  prng = new Prng(seed);
  sale = await Sale.open({
    node: cluster.next,
    prng,
    scheduleCount: 6,
    seatCount: 1_200,
    clientCount: 24,
    thinkMsMax: 50,
    newWhim: lookingAround,
  });
  const { performanceId, seatIds } = sale;
  payers = await Payers.open({ node: cluster.next, performanceId, seatIds, count: 8 });
  await sale.begin();
  payers.begin();
});

/** Whoever was told something was told the truth, and nobody was told to come again. */
afterEach(async () => {
  await Promise.all([sale.end(), payers.end()]);
  expect([sale.setbacks, payers.failures]).toEqual([noSetbacks(), []]);
  await expectKept(cluster.next(), sale);
  await payers.expectSettled(cluster.next());
  await expectInMySql(cluster.databaseUrl, sale);
  await expectEventsOf(cluster, reader, sale, [...sale.scheduleIds, payers.scheduleId]);
});

/** Keeps three reservations; each is there at every node as soon as it is answered. */
function lookingAround(): Whim {
  const own: Booking[] = [];
  return async (booking) => {
    const path = `/reservations/${booking.reservationId}`;
    for (const _node of cluster.nodeIds) {
      expect((await booking.buyer.get(path)).body).toMatchObject({ status: 'HELD' });
    }
    own.push(booking);
    if (own.length > 3) await cancel(own.shift()!);
  };
}

const movesThat = async (condition: string): Promise<number> =>
  (await cluster.query(`SELECT COUNT(*) AS moves FROM cluster_move WHERE ${condition}`))[0]?.['moves'];
const areOver = 'is_open IS NULL';

test(`${movesMin} live moves`, async () => {
  const shardIds = [...sale.scheduleIds, payers.scheduleId].map(shardIdOf);
  const [startedMs, requestsBefore] = [performance.now(), cluster.requests];
  while ((await movesThat(areOver)) < movesMin) {
    await cluster.move(prng.pick(shardIds), prng.pick(cluster.nodeIds));
    await delay(5);
  }
  const tookS = (performance.now() - startedMs) / 1_000;
  await cluster.becomesWhole(10_000);
  expect(await movesThat("detail <> ''"), 'moves that failed').toBe(0);
  expect((cluster.requests - requestsBefore) / tookS).toBeGreaterThan(requestsPerSecondMin);
});

test('a node of the next version joins, one is drained and stops, and one stops that has shards', async () => {
  await cluster.startNode('four', next.mainPath);
  await cluster.becomesWhole(10_000);
  const versions = (await cluster.status()).nodes.map(({ nodeId, version }) => [nodeId, version]);
  const own = packageVersion();
  expect(Object.fromEntries(versions)).toEqual({ one: own, two: own, three: own, four: nextVersion });
  const four = cluster.node('four');
  const plan = await runCluster(four, 'rebalance', '--dry-run');
  expect(plan).toContain('four');
  expect(await cluster.shardsOf('four'), 'a plan moves nothing').toBe(0);
  await runCluster(four, 'rebalance', '--who', 'ada', '--why', 'four is new');
  expect(await cluster.shardsOf('four')).toBeGreaterThan(0);

  const [one, two] = [cluster.node('one'), cluster.node('two')];
  await runCluster(one, 'drain', 'one', '--who', 'ada', '--why', 'a new disk');
  expect(await cluster.shardsOf('one')).toBe(0);
  await cluster.takeOutWhenUnready('one');
  expect(await one.stop('SIGTERM')).toBe(0);

  expect(await cluster.shardsOf('two')).toBeGreaterThan(0);
  const stopped = two.stop('SIGTERM');
  await cluster.takeOutWhenUnready('two');
  expect(await stopped).toBe(0);
  expect(await cluster.shardsOf('two')).toBe(0);
  await cluster.becomesWhole(10_000);

  const actions = await runCluster(cluster.next(), 'actions');
  expect(actions).toMatch(/ada\s+rebalance: \d+ moves\s+four is new/);
  expect(actions).toMatch(/ada\s+drain one\s+a new disk/);
  expect(actions).toMatch(/two\s+drain two\s+it is stopping/);
});
