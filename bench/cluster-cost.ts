/**
 * What distribution costs: CPU of all Usher processes for the same reservations at the same rate, on three nodes
 * behind a balancer that knows nothing, and on one node without a cluster, in turn. Each has a database of its own on
 * one server, whose CPU is not counted, nor is that of Redis and of the client. Both run all the time: what the other
 * side does while it rests is not counted either.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { benchHall } from './bench-hall.ts';
import { BenchCluster } from './cluster-nodes.ts';
import { cpuSeconds } from './process-usage.ts';
import { startRealServers } from './real-servers.ts';
import { load } from './run-load.ts';
import { BenchUsher } from './servers.ts';
import { type Spread, spreadOf } from './spread.ts';

/** Requests a second that are offered; Infinity: each connection asks again when it is answered. */
export interface OfferedLoad {
  readonly connections: number;
  readonly perSecond: number;
}

export interface ClusterCost {
  readonly offered: OfferedLoad;
  readonly requestsPerRound: number;
  readonly ratio: Spread;
  /** For 100,000 reservations. */
  readonly clusterCpuSeconds: Spread;
  readonly aloneCpuSeconds: Spread;
  readonly clusterPerSecond: Spread;
  readonly alonePerSecond: Spread;
  readonly clusterP99Ms: Spread;
  readonly aloneP99Ms: Spread;
  /** Of the calls to the cluster. */
  readonly forwardedShare: Spread;
  readonly clusterBatchRows: Spread;
  readonly aloneBatchRows: Spread;
}

const seatsPerSchedule = benchHall.rows * benchHall.seatsPerRow;
const schedules = 30;
const measureMs = 4_000;
/** What a run has used is told for so many reservations. */
const scaledTo = 100_000;
const clusterNodes = 3;

interface Side {
  readonly nodes: readonly BenchUsher[];
  readonly scheduleIds: readonly number[];
  /** Seats of so many requests are gone. */
  sold: number;
}

interface Run {
  readonly cpuSeconds: number;
  readonly perSecond: number;
  readonly p99Ms: number;
  readonly requests: number;
  readonly forwardedShare: number;
  readonly batchRows: number;
}

export async function measureCost(
  loads: readonly { readonly offered: OfferedLoad; readonly rounds: number }[],
): Promise<readonly ClusterCost[]> {
  const servers = await startRealServers('redis');
  let cluster: BenchCluster | undefined;
  let alone: BenchUsher | undefined;
  try {
    cluster = await BenchCluster.start(clusterNodes, servers.environment);
    alone = await BenchUsher.start({
      environment: {
        MYSQL_URL: await servers.createDatabase(),
        REDIS_URL: servers.environment['REDIS_URL'] ?? '',
      },
    });
    const sides = {
      cluster: { nodes: cluster.nodes, scheduleIds: await cluster.first.createSchedules(schedules), sold: 0 },
      alone: { nodes: [alone], scheduleIds: await alone.createSchedules(schedules), sold: 0 },
    };
    await delay(learnMs);
    const costs: ClusterCost[] = [];
    // Not counted: the compiler learns the code, the token caches fill, the links open.
    await compare(sides, 2, { connections: 192, perSecond: Number.POSITIVE_INFINITY });
    for (const { offered, rounds } of loads) costs.push(await compare(sides, rounds, offered));
    return costs;
  } finally {
    await alone?.stop();
    await cluster?.stop();
    await servers.stop();
  }
}

async function compare(
  sides: Readonly<Record<'cluster' | 'alone', Side>>,
  rounds: number,
  offered: OfferedLoad,
): Promise<ClusterCost> {
  const runs: Record<'cluster' | 'alone', Run[]> = { cluster: [], alone: [] };
  for (let round = 0; round < rounds; round++) {
    for (const side of ['cluster', 'alone'] as const) runs[side].push(await run(sides[side], offered));
    console.error('cost of', offered, runs.cluster.at(-1), runs.alone.at(-1));
  }
  const spread = (side: 'cluster' | 'alone', figure: keyof Run) =>
    spreadOf(runs[side].map((each) => each[figure]));
  return {
    offered,
    requestsPerRound: runs.cluster[0]?.requests ?? 0,
    ratio: spreadOf(runs.cluster.map(({ cpuSeconds }, i) => cpuSeconds / (runs.alone[i] as Run).cpuSeconds)),
    clusterCpuSeconds: spread('cluster', 'cpuSeconds'),
    aloneCpuSeconds: spread('alone', 'cpuSeconds'),
    clusterPerSecond: spread('cluster', 'perSecond'),
    alonePerSecond: spread('alone', 'perSecond'),
    clusterP99Ms: spread('cluster', 'p99Ms'),
    aloneP99Ms: spread('alone', 'p99Ms'),
    forwardedShare: spread('cluster', 'forwardedShare'),
    clusterBatchRows: spread('cluster', 'batchRows'),
    aloneBatchRows: spread('alone', 'batchRows'),
  };
}

async function run(side: Side, { connections, perSecond: ratePerSecond }: OfferedLoad): Promise<Run> {
  const { nodes, scheduleIds } = side;
  const [first] = nodes as readonly [BenchUsher];
  const before = await counted(nodes);
  const { perSecond, p99Ms, requestsSent } = await load(
    {
      kind: 'reserve',
      host: '127.0.0.1',
      port: first.port,
      ports: nodes.map(({ port }) => port),
      path: '/reservations',
      ...(Number.isFinite(ratePerSecond) && { ratePerSecond }),
      connections,
      warmUpMs: 0,
      measureMs,
      tokens: first.tokens,
      scheduleIds,
      seatsPerSchedule,
      seatsPerRow: benchHall.seatsPerRow,
      keyPrefix: 'cost',
      etag: '',
      isSpread: true,
      skippedRequests: side.sold,
    },
    '201',
  );
  side.sold += requestsSent;
  // What a reservation leaves to be done behind its answer is part of its cost.
  for (const usher of nodes) await usher.caughtUp();
  const after = await counted(nodes);
  return {
    perSecond,
    cpuSeconds: ((after.cpuSeconds - before.cpuSeconds) * scaledTo) / requestsSent,
    p99Ms,
    requests: requestsSent,
    forwardedShare: (after.forwarded - before.forwarded) / requestsSent,
    batchRows: (after.rows - before.rows) / (after.batches - before.batches),
  };
}

interface Counts {
  readonly cpuSeconds: number;
  readonly forwarded: number;
  readonly rows: number;
  readonly batches: number;
}

async function counted(nodes: readonly BenchUsher[]): Promise<Counts> {
  const metrics = await Promise.all(nodes.map((usher) => usher.metrics()));
  const sum = (name: string) => metrics.reduce((total, each) => total + (each.get(name) ?? 0), 0);
  return {
    cpuSeconds: nodes.reduce((total, { pid }) => total + cpuSeconds(pid), 0),
    forwarded: sum('usher_cluster_forwarded_total{result="answered"}'),
    rows: sum('usher_batch_rows_sum'),
    batches: sum('usher_batch_rows_count'),
  };
}

/** Longer than a node goes on without asking what others have created. */
const learnMs = 1_500;
