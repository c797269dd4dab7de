/**
 * Moves of shards under load: three nodes with MariaDB, Redis and Kafka, reservations at a fixed rate over all nodes
 * and many schedules, in turn without moves and while every shard that has a schedule moves from node to node. A
 * request's latency counts from the moment at which it was due, so none is left out that a slow answer has held up.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { PlannedMove } from '../src/cli/cluster-answers.ts';
import { benchHall } from './bench-hall.ts';
import { BenchCluster, shardIdOf } from './cluster-nodes.ts';
import type { LoadPlan, LoadResult } from './load-plan.ts';
import { startRealServers } from './real-servers.ts';
import { load, startLoad } from './run-load.ts';
import { type Spread, spreadOf } from './spread.ts';

export interface MovesFigures {
  readonly ratePerSecond: number;
  readonly schedules: number;
  readonly moves: number;
  readonly failedMoves: number;
  readonly requests: number;
  /** Answers that are not 201, and what they were. */
  readonly failedRequests: number;
  readonly statuses: Readonly<Record<string, number>>;
  readonly restP50Ms: Spread;
  readonly restP99Ms: Spread;
  readonly movesP50Ms: Spread;
  readonly movesP99Ms: Spread;
  readonly addedP99Ms: Spread;
  readonly slowestMs: Spread;
  /** Requests a second that were answered while shards moved. */
  readonly answeredPerSecond: Spread;
  readonly movesPerSecond: Spread;
  /** Of a move: until its calls go on. Mean and upper bound of 99 %. */
  readonly blockedMeanMs: number;
  readonly blockedP99Ms: number;
  readonly isSound: boolean;
}

export interface DrainFigures {
  readonly ratePerSecond: number;
  readonly shards: number;
  readonly seconds: Spread;
  readonly requests: number;
  readonly failedRequests: number;
}

export interface MovesOptions {
  readonly rounds: number;
  readonly moves: number;
  readonly ratePerSecond: number;
  readonly drains: number;
}

const seatsPerSchedule = benchHall.rows * benchHall.seatsPerRow;
const schedules = 64;
const connections = 300;
const restMs = 8_000;
const loadMaxMs = 120_000;
/** Between one look at the moves and the next: each is a request to the admin port. */
const lookEveryMs = 50;

export async function measureMoves(
  options: MovesOptions,
): Promise<{ readonly moves: MovesFigures; readonly drain: DrainFigures }> {
  const servers = await startRealServers('all');
  let cluster: BenchCluster | undefined;
  try {
    cluster = await BenchCluster.start(3, servers.environment);
    const sale = new Sale(cluster, await cluster.first.createSchedules(schedules), options.ratePerSecond);
    await delay(learnMs);
    await sale.warmUp();
    return {
      moves: await moves(cluster, sale, options),
      drain: await drain(cluster, sale, options),
    };
  } finally {
    await cluster?.stop();
    await servers.stop();
  }
}

/** Reservations at the rate, over all nodes and schedules. */
class Sale {
  readonly scheduleIds: readonly number[];
  readonly #cluster: BenchCluster;
  readonly #ratePerSecond: number;
  #sold = 0;

  constructor(cluster: BenchCluster, scheduleIds: readonly number[], ratePerSecond: number) {
    this.#cluster = cluster;
    this.scheduleIds = scheduleIds;
    this.#ratePerSecond = ratePerSecond;
  }

  /** As fast as it goes, so that every node has its code compiled and every schedule is awake. */
  async warmUp(): Promise<void> {
    const { ratePerSecond: _, ...plan } = this.#plan(0, 5_000);
    this.#sold += (await load(plan, '201')).requestsSent;
    await this.#cluster.caughtUp();
    await this.during(() => delay(3_000));
  }

  /** Sells while `work` is under way. */
  async during(work: () => Promise<unknown>): Promise<LoadResult> {
    const warmUpMs = 1_000;
    const running = startLoad(this.#plan(warmUpMs, loadMaxMs));
    // Who fails first ends the other.
    running.result.catch(() => {});
    try {
      await delay(warmUpMs + 500);
      await work();
    } finally {
      running.end();
    }
    const result = await running.result;
    this.#sold += result.requestsSent;
    return result;
  }

  #plan(warmUpMs: number, measureMs: number): LoadPlan {
    return {
      kind: 'reserve',
      host: '127.0.0.1',
      port: this.#cluster.first.port,
      ports: this.#cluster.ports,
      path: '/reservations',
      ratePerSecond: this.#ratePerSecond,
      connections,
      warmUpMs,
      measureMs,
      tokens: this.#cluster.first.tokens,
      scheduleIds: this.scheduleIds,
      seatsPerSchedule,
      seatsPerRow: benchHall.seatsPerRow,
      keyPrefix: 'moves',
      etag: '',
      isSpread: true,
      skippedRequests: this.#sold,
    };
  }
}

async function moves(cluster: BenchCluster, sale: Sale, options: MovesOptions): Promise<MovesFigures> {
  const rest: LoadResult[] = [];
  const moving: LoadResult[] = [];
  const movesPerSecond: number[] = [];
  const perRound = Math.ceil(options.moves / options.rounds);
  for (let round = 0; round < options.rounds; round++) {
    rest.push(await sale.during(() => delay(restMs)));
    const result = await sale.during(async () => {
      const startedMs = performance.now();
      await moveAround(cluster, sale.scheduleIds, perRound);
      movesPerSecond.push((1_000 * perRound) / (performance.now() - startedMs));
    });
    moving.push(result);
    console.error(`moves, round ${round + 1}:`, { rest: rest.at(-1), moving: result, movesPerSecond });
  }
  const sound = await Promise.all(sale.scheduleIds.map((scheduleId) => cluster.first.isSound(scheduleId)));
  const of = (results: readonly LoadResult[], figure: 'p50Ms' | 'p99Ms' | 'maxMs' | 'perSecond') =>
    spreadOf(results.map((result) => result[figure]));
  const statuses = summed(moving);
  return {
    ratePerSecond: options.ratePerSecond,
    schedules: sale.scheduleIds.length,
    moves: await cluster.sum('usher_cluster_moves_total{outcome="done"}'),
    failedMoves:
      (await cluster.sum('usher_cluster_moves_total{outcome="failed"}')) +
      (await cluster.sum('usher_cluster_moves_total{outcome="taken-back"}')),
    requests: answersIn(statuses),
    failedRequests: answersIn(statuses) - (statuses['201'] ?? 0),
    statuses,
    restP50Ms: of(rest, 'p50Ms'),
    restP99Ms: of(rest, 'p99Ms'),
    movesP50Ms: of(moving, 'p50Ms'),
    movesP99Ms: of(moving, 'p99Ms'),
    addedP99Ms: spreadOf(moving.map(({ p99Ms }, i) => p99Ms - (rest[i] as LoadResult).p99Ms)),
    slowestMs: of(moving, 'maxMs'),
    answeredPerSecond: of(moving, 'perSecond'),
    movesPerSecond: spreadOf(movesPerSecond),
    ...(await blocked(cluster)),
    isSound: sound.every((isSound) => isSound),
  };
}

/** Each shard of these schedules to the node after the one that has it, again and again. */
async function moveAround(
  cluster: BenchCluster,
  scheduleIds: readonly number[],
  count: number,
): Promise<void> {
  const shardIds = [...new Set(scheduleIds.map(shardIdOf))];
  const { nodeIds } = cluster;
  for (let left = count; left > 0; left -= shardIds.length) {
    const owners = await cluster.owners();
    for (const shardId of shardIds.slice(0, left)) {
      const toNodeId = nodeIds[(nodeIds.indexOf(owners.get(shardId) ?? '') + 1) % nodeIds.length];
      await cluster.first.order('/admin/cluster/move', { shardId, toNodeId, why: 'bench' });
    }
    await cluster.isWhole(lookEveryMs);
  }
}

async function blocked(cluster: BenchCluster): Promise<{ blockedMeanMs: number; blockedP99Ms: number }> {
  const name = 'usher_cluster_move_blocked_seconds';
  const count = await cluster.sum(`${name}_count`);
  const bounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
  let p99Seconds = Number.POSITIVE_INFINITY;
  for (const bound of bounds.toReversed()) {
    if ((await cluster.sum(`${name}_bucket{le="${bound}"}`)) >= 0.99 * count) p99Seconds = bound;
  }
  return {
    blockedMeanMs: (1_000 * (await cluster.sum(`${name}_sum`))) / count,
    blockedP99Ms: 1_000 * p99Seconds,
  };
}

/** A node that has 64 shards gives them away while all nodes sell, and joins again for the next round. */
async function drain(cluster: BenchCluster, sale: Sale, options: MovesOptions): Promise<DrainFigures> {
  const nodeId = 'node-3';
  const seconds: number[] = [];
  const results: LoadResult[] = [];
  for (let round = 0; round < options.drains; round++) {
    await cluster.balance();
    await leaveWith(cluster, nodeId, drainedShards);
    const result = await sale.during(async () => {
      const startedMs = performance.now();
      await cluster.first.order<{ moves: readonly PlannedMove[] }>('/admin/cluster/drain', {
        nodeId,
        why: 'bench',
      });
      while ([...(await cluster.owners()).values()].includes(nodeId)) await delay(lookEveryMs);
      seconds.push((performance.now() - startedMs) / 1_000);
    });
    results.push(result);
    console.error(`drain, round ${round + 1}: ${seconds.at(-1)?.toFixed(2)} s`, result);
    await cluster.stopNode(nodeId);
    await cluster.startNode(nodeId);
  }
  const statuses = summed(results);
  return {
    ratePerSecond: options.ratePerSecond,
    shards: drainedShards,
    seconds: spreadOf(seconds),
    requests: answersIn(statuses),
    failedRequests: answersIn(statuses) - (statuses['201'] ?? 0),
  };
}

const drainedShards = 64;

/** Moves what the node has beyond that away. */
async function leaveWith(cluster: BenchCluster, nodeId: string, count: number): Promise<void> {
  const shardIds = [...(await cluster.owners())].filter(([, owner]) => owner === nodeId).map(([id]) => id);
  for (const shardId of shardIds.slice(count)) {
    await cluster.first.order('/admin/cluster/move', { shardId, toNodeId: 'node-1', why: 'bench' });
  }
  await cluster.isWhole(lookEveryMs);
}

function summed(results: readonly LoadResult[]): Record<string, number> {
  const statuses: Record<string, number> = {};
  for (const result of results) {
    for (const [status, count] of Object.entries(result.statuses)) {
      statuses[status] = (statuses[status] ?? 0) + count;
    }
  }
  return statuses;
}

const answersIn = (statuses: Readonly<Record<string, number>>): number =>
  Object.values(statuses).reduce((sum, count) => sum + count, 0);

/** Longer than a node goes on without asking what others have created. */
const learnMs = 1_500;
