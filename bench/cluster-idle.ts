/**
 * What nodes cost that do nothing: 10,000 schedules, and nobody calls. A node on its own, then a cluster of one, then
 * each node of a cluster of three, on one database, and what they ask of it and of Redis. In the end the owner of a
 * schedule is killed, and somebody who keeps on asking another node is answered again.
 */
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { RowDataPacket } from 'mysql2/promise';
import { type MariaDb, startMariaDb } from '../scripts/servers/mariadb.ts';
import { connected } from '../scripts/servers/mysql-databases.ts';
import { type Redis, startRedis } from '../scripts/servers/redis.ts';
import { BenchCluster } from './cluster-nodes.ts';
import { cpuSeconds, residentMegabytes } from './process-usage.ts';
import { BenchUsher } from './servers.ts';
import { type Spread, spreadOf } from './spread.ts';

export interface IdleFigures {
  readonly schedules: number;
  readonly alone: IdleCost;
  readonly ofOne: IdleCost;
  readonly ofThree: IdleCost;
  /** From kill -9 of an owner until its schedule is sold again, by another node. */
  readonly soldAgainSeconds: Spread;
}

/** All nodes together where nothing else is said; CPU in % of one core. */
export interface IdleCost {
  /** Of one. */
  readonly nodeCpu: Spread;
  readonly nodeMegabytes: Spread;
  readonly databaseCpu: number;
  readonly queriesPerSecond: number;
  readonly redisCpu: number;
  readonly redisCallsPerSecond: number;
}

const createdAtOnce = 16;
const settleMs = 4_000;
const watchMs = 6_000;

export async function measureIdle(schedules: number, kills: number): Promise<IdleFigures> {
  const [mariaDb, redis] = await Promise.all([startMariaDb(), startRedis()]);
  const environment = { MYSQL_URL: mariaDb.url, REDIS_URL: redis.url };
  const costOf = (nodes: readonly BenchUsher[]) => idleCost(nodes, mariaDb, redis);
  try {
    const alone = await withNode({ ...environment, NODE_ID: 'alone' }, async (usher) => {
      await createAll(usher, schedules);
      return costOf([usher]);
    });
    const ofOne = await withCluster(1, environment, ({ nodes }) => costOf(nodes));
    const ofThree = await withCluster(3, environment, async (cluster) => ({
      cost: await costOf(cluster.nodes),
      soldAgainSeconds: spreadOf(await killOwners(cluster, kills)),
    }));
    return { schedules, alone, ofOne, ofThree: ofThree.cost, soldAgainSeconds: ofThree.soldAgainSeconds };
  } finally {
    await Promise.all([mariaDb.stop(), redis.stop()]);
  }
}

async function withNode<T>(
  environment: Record<string, string>,
  work: (usher: BenchUsher) => Promise<T>,
): Promise<T> {
  const usher = await BenchUsher.start({ environment });
  try {
    return await work(usher);
  } finally {
    await usher.stop();
  }
}

async function withCluster<T>(
  nodes: number,
  environment: Record<string, string>,
  work: (cluster: BenchCluster) => Promise<T>,
): Promise<T> {
  const cluster = await BenchCluster.start(nodes, environment);
  try {
    return await work(cluster);
  } finally {
    await cluster.stop();
  }
}

async function createAll(usher: BenchUsher, schedules: number): Promise<void> {
  const each = Math.ceil(schedules / createdAtOnce);
  await Promise.all(Array.from({ length: createdAtOnce }, () => usher.createSchedules(each)));
}

async function idleCost(nodes: readonly BenchUsher[], mariaDb: MariaDb, redis: Redis): Promise<IdleCost> {
  await delay(settleMs);
  const now = async () => ({
    atMs: performance.now(),
    nodes: nodes.map(({ pid }) => cpuSeconds(pid)),
    database: cpuSeconds(mariaDb.pid),
    redis: cpuSeconds(redis.pid),
    queries: await questions(mariaDb),
    calls: await scriptCalls(redis),
  });
  const before = await now();
  await delay(watchMs);
  const after = await now();
  const seconds = (after.atMs - before.atMs) / 1_000;
  const percent = (from: number, to: number) => (100 * (to - from)) / seconds;
  const cost: IdleCost = {
    nodeCpu: spreadOf(after.nodes.map((cpu, i) => percent(before.nodes[i] as number, cpu))),
    nodeMegabytes: spreadOf(nodes.map(({ pid }) => residentMegabytes(pid))),
    databaseCpu: percent(before.database, after.database),
    queriesPerSecond: (after.queries - before.queries) / seconds,
    redisCpu: percent(before.redis, after.redis),
    redisCallsPerSecond: (after.calls - before.calls) / seconds,
  };
  console.error(`idle, ${nodes.length} nodes:`, cost);
  return cost;
}

/** Statements that clients have sent. */
async function questions(mariaDb: MariaDb): Promise<number> {
  return connected({ uri: mariaDb.rootUrl }, async (connection) => {
    const [[row]] = await connection.query<RowDataPacket[]>("SHOW GLOBAL STATUS LIKE 'Questions'");
    return Number(row?.['Value']);
  });
}

/** How often a script was run; everything that nodes ask of Redis for the cluster is one. */
function scriptCalls(redis: Redis): Promise<number> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(redis.port, '127.0.0.1', () => socket.end('INFO commandstats\r\nQUIT\r\n'));
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(Number(/^cmdstat_evalsha:calls=(\d+)/m.exec(text)?.[1] ?? 0)));
  });
}

/** Each comes back for the next round. @returns seconds of each, from kill -9 until the schedule was sold again. */
async function killOwners(cluster: BenchCluster, kills: number): Promise<readonly number[]> {
  const victim = 'node-2';
  const soldAgain: number[] = [];
  for (let i = 0; i < kills; i++) {
    const [scheduleId = 0] = await cluster.createSchedulesOf(victim, 1);
    const status = await cluster.first.sell(scheduleId, 'R0-0');
    if (status !== 201) throw new Error(`expected 201, got ${status}`);
    const killedAtMs = performance.now();
    await cluster.node(victim).kill();
    while ((await cluster.first.sell(scheduleId, 'R0-1')) !== 201) await delay(20);
    soldAgain.push((performance.now() - killedAtMs) / 1_000);
    console.error(`an owner was killed: sold again after ${soldAgain.at(-1)?.toFixed(2)} s`);
    await cluster.stopNode(victim);
    await cluster.startNode(victim);
    await cluster.balance();
  }
  return soldAgain;
}
