/** Nodes of one cluster, each a real process, on a database and a Redis of their own. Loopback only. */
import { setTimeout as delay } from 'node:timers/promises';
import type { ScheduleId } from '../src/actors/allocator/ids.ts';
import { shardCount, shardOf } from '../src/actors/allocator/ids.ts';
import type { ClusterAnswer, PlannedMove } from '../src/cli/cluster-answers.ts';
import { BenchUsher } from './servers.ts';

const clusterSecret = 'bench-cluster-secret-of-at-least-32-bytes';

export class BenchCluster {
  readonly #environment: Record<string, string>;
  readonly #members = new Map<string, BenchUsher>();

  private constructor(environment: Record<string, string>) {
    this.#environment = environment;
  }

  /** Resolves when all shards are served, as many by each node. */
  static async start(nodes: number, environment: Record<string, string>): Promise<BenchCluster> {
    const cluster = new BenchCluster(environment);
    try {
      for (let i = 1; i <= nodes; i++) await cluster.startNode(`node-${i}`);
      await cluster.balance();
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  async startNode(nodeId: string): Promise<BenchUsher> {
    const [beside] = this.#members.values();
    const usher = await BenchUsher.start({
      environment: {
        ...this.#environment,
        CLUSTER_SECRET: clusterSecret,
        NODE_ID: nodeId,
        INTERNAL_PORT: '0',
      },
      ...(beside !== undefined && { beside }),
    });
    this.#members.set(nodeId, usher);
    return usher;
  }

  /** Ends the node, in an orderly way; the others take what it had. */
  async stopNode(nodeId: string): Promise<void> {
    const usher = this.node(nodeId);
    this.#members.delete(nodeId);
    await usher.stop();
  }

  /** In the order of their start. */
  get nodes(): readonly BenchUsher[] {
    return [...this.#members.values()];
  }

  get nodeIds(): readonly string[] {
    return [...this.#members.keys()];
  }

  /** Those that a balancer sends to, in turn. */
  get ports(): readonly number[] {
    return this.nodes.map(({ port }) => port);
  }

  node(nodeId: string): BenchUsher {
    return this.#members.get(nodeId) as BenchUsher;
  }

  /** The first node: orders are given there. */
  get first(): BenchUsher {
    return this.nodes[0] as BenchUsher;
  }

  status(): Promise<ClusterAnswer> {
    return this.first.read('/admin/cluster');
  }

  /** Shards to each node alike, and no move is under way. */
  async balance(): Promise<void> {
    await this.isWhole();
    const { moves } = await this.first.order<{ moves: readonly PlannedMove[] }>('/admin/cluster/rebalance', {
      why: 'bench',
    });
    if (moves.length > 0) await this.isWhole();
  }

  /** Resolves when every node is up, every shard is served, and none moves. */
  async isWhole(everyMs = 200): Promise<void> {
    const endsAtMs = performance.now() + wholeMaxMs;
    for (;;) {
      const { nodes, shards, moves } = await this.status();
      const up = nodes.filter(({ state }) => state === 'up').length;
      const active = shards.filter(({ state }) => state === 'active').length;
      if (up === this.#members.size && active === shardCount && moves.length === 0) return;
      if (performance.now() > endsAtMs) {
        throw new Error(
          `${up} nodes up, ${active} shards served, ${moves.length} moves, after ${wholeMaxMs} ms`,
        );
      }
      await delay(everyMs);
    }
  }

  /** Who has each shard, by the store. */
  async owners(): Promise<ReadonlyMap<number, string>> {
    const { shards } = await this.status();
    return new Map(shards.map(({ shardId, ownerNodeId }) => [shardId, ownerNodeId ?? '']));
  }

  /** Fresh schedules that this node has. */
  async createSchedulesOf(nodeId: string, count: number): Promise<readonly number[]> {
    const owners = await this.owners();
    const scheduleIds: number[] = [];
    while (scheduleIds.length < count) {
      const [scheduleId = 0] = await this.first.createSchedules(1);
      if (owners.get(shardIdOf(scheduleId)) === nodeId) scheduleIds.push(scheduleId);
    }
    // Every node has read of them.
    await delay(learnMs);
    return scheduleIds;
  }

  async caughtUp(): Promise<void> {
    for (const usher of this.nodes) await usher.caughtUp();
  }

  /** A metric of all nodes together. */
  async sum(name: string): Promise<number> {
    const metrics = await Promise.all(this.nodes.map((usher) => usher.metrics()));
    return metrics.reduce((sum, each) => sum + (each.get(name) ?? 0), 0);
  }

  async stop(): Promise<void> {
    // One after the other would hand on shards to the next that stops.
    await Promise.all(this.nodes.map((usher) => usher.kill().then(() => usher.stop())));
  }
}

export const shardIdOf = (scheduleId: number): number => shardOf(scheduleId as ScheduleId, shardCount);

const wholeMaxMs = 60_000;
/** Longer than a node goes on without asking what others have created. */
const learnMs = 1_500;
