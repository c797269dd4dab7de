import { setTimeout as delay } from 'node:timers/promises';
import { MysqlCuttingProxy } from '../../scripts/servers/mysql-cutting-proxy.ts';
import type { ScheduleId } from '../../src/actors/allocator/ids.ts';
import { shardCount, shardOf } from '../../src/actors/allocator/ids.ts';
import type { ClusterAnswer } from '../../src/cli/cluster-answers.ts';
import { parseInstanceId } from '../../src/cluster/instance-id.ts';
import { sharedMariaDb } from '../servers/shared-servers.ts';
import { queryMySql } from './mysql-history.ts';
import { temporaryDirectory, UsherProcess } from './usher-process.ts';

const clusterSecret = 'integration-tests-cluster-secret-of-32-bytes';

interface ClusterOptions {
  /** Names of the first nodes. */
  readonly nodeIds: readonly string[];
  readonly redisUrl: string;
  /** Each node reaches the store by a proxy of its own. Default: none does. */
  readonly hasProxies?: boolean;
  readonly environment?: Readonly<Record<string, string>>;
}

interface Member {
  usher: UsherProcess;
  readonly proxy: MysqlCuttingProxy | undefined;
}

/** Who has a shard, by the store. */
interface Owned {
  readonly nodeId: string;
  readonly epoch: number;
}

/**
 * Real nodes on a fresh database, and the load balancer before them, which is blind: it sends each request to the
 * next node, whoever owns what. Nodes are put into its rotation and taken out by the test.
 */
export class Cluster {
  readonly databaseUrl: string;
  readonly #options: ClusterOptions;
  readonly #directory = temporaryDirectory();
  readonly #members = new Map<string, Member>();
  #rotation: readonly string[] = [];
  #turns = 0;

  private constructor(databaseUrl: string, options: ClusterOptions) {
    this.databaseUrl = databaseUrl;
    this.#options = options;
  }

  /** Resolves when every shard is served. */
  static async start(options: ClusterOptions): Promise<Cluster> {
    const cluster = new Cluster(await sharedMariaDb().createDatabase(), options);
    try {
      await Promise.all(options.nodeIds.map((nodeId) => cluster.startNode(nodeId)));
      await cluster.becomesWhole(15_000);
      // A broker is shared with others, whose schedules have other ids.
      const lastId = 10_000 + (Date.now() % 90_000);
      await cluster.query(`UPDATE catalog_counter SET last_id = ${lastId} WHERE name = 'schedule'`);
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    await Promise.all(
      [...this.#members.values()].map(async ({ usher, proxy }) => {
        await usher.stop('SIGKILL');
        await proxy?.stop();
      }),
    );
    await sharedMariaDb().dropDatabase(this.databaseUrl);
    this.#directory.remove();
  }

  /** The node that the load balancer takes for the next request. */
  readonly next = (): UsherProcess => {
    this.#turns += 1;
    return this.node(this.#rotation[this.#turns % this.#rotation.length] as string);
  };

  /** Requests that the load balancer has sent. */
  get requests(): number {
    return this.#turns;
  }

  get nodeIds(): readonly string[] {
    return this.#rotation;
  }

  node(nodeId: string): UsherProcess {
    return this.#member(nodeId).usher;
  }

  /** What stands between the node and the store. */
  proxyOf(nodeId: string): MysqlCuttingProxy {
    return this.#member(nodeId).proxy as MysqlCuttingProxy;
  }

  /** Another run of a node that has ended, or a new one. @param mainPath of another version of Usher. */
  async startNode(nodeId: string, mainPath?: string): Promise<void> {
    const { redisUrl, hasProxies = false, environment } = this.#options;
    const known = this.#members.get(nodeId);
    const proxy = known?.proxy ?? (hasProxies ? await MysqlCuttingProxy.start(this.databaseUrl) : undefined);
    const settings = {
      NODE_ID: nodeId,
      MYSQL_URL: proxy?.url ?? this.databaseUrl,
      REDIS_URL: redisUrl,
      CLUSTER_SECRET: clusterSecret,
      INTERNAL_PORT: '0',
      ...environment,
    };
    const usher = await UsherProcess.start(this.#directory.path, settings, 'serve', [], mainPath);
    this.#members.set(nodeId, { usher, proxy });
    this.putIn(nodeId);
  }

  putIn(nodeId: string): void {
    this.#rotation = [...new Set([...this.#rotation, nodeId])].sort();
  }

  /** As when its health check fails. */
  takeOut(nodeId: string): void {
    this.#rotation = this.#rotation.filter((each) => each !== nodeId);
  }

  /** Takes it out as soon as the node says by itself that it is not ready. */
  async takeOutWhenUnready(nodeId: string): Promise<void> {
    const isReady = async () => (await fetch(`${this.node(nodeId).publicUrl}/readyz`)).status === 200;
    while (await isReady()) await delay(20);
    this.takeOut(nodeId);
  }

  query(sql: string) {
    return queryMySql(this.databaseUrl, sql);
  }

  /** By the store. */
  async owners(): Promise<ReadonlyMap<number, Owned>> {
    const rows = await this.query('SELECT shard_id, owner, epoch FROM shard ORDER BY shard_id');
    return new Map(
      rows.map((row) => [
        row['shard_id'],
        { nodeId: parseInstanceId(row['owner'])?.nodeId ?? row['owner'], epoch: row['epoch'] },
      ]),
    );
  }

  /** The node that has the schedule, by the store. */
  async ownerOf(scheduleId: number): Promise<string> {
    return (await this.owners()).get(shardIdOf(scheduleId))?.nodeId as string;
  }

  async shardsOf(nodeId: string): Promise<number> {
    return [...(await this.owners()).values()].filter((owned) => owned.nodeId === nodeId).length;
  }

  async status(): Promise<ClusterAnswer> {
    const answer = await this.#anyNode().admin('GET', '/admin/cluster');
    if (answer.status !== 200) throw new Error(`GET /admin/cluster: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as ClusterAnswer;
  }

  /** Asks for the move. @returns 202, or 409 where there is nothing to move or it moves already. */
  async move(shardId: number, toNodeId: string): Promise<number> {
    const body = { shardId, toNodeId, why: 'a test' };
    const answer = await this.#anyNode().admin('POST', '/admin/cluster/move', body);
    const text = await answer.text();
    if (answer.status !== 202 && answer.status !== 409) {
      throw new Error(`POST /admin/cluster/move: ${answer.status} ${text}`);
    }
    return answer.status;
  }

  /** Plans the moves that spread the load, and waits until they are carried out. */
  async rebalance(withinMs: number): Promise<void> {
    // Who has only just come is not in everybody's plans yet.
    await this.becomesWhole(withinMs);
    const answer = await this.#anyNode().admin('POST', '/admin/cluster/rebalance', { why: 'a test' });
    if (answer.status !== 202) throw new Error(`POST rebalance: ${answer.status} ${await answer.text()}`);
    await this.becomesWhole(withinMs);
  }

  /** Every shard has one owner, who serves it, and everybody says so; every node is up, and nothing is on the move. */
  async becomesWhole(withinMs: number): Promise<void> {
    const deadlineMs = performance.now() + withinMs;
    for (;;) {
      // A node that has just lost its connections to the store may say so.
      const faults = await this.#faults().catch((error: Error) => [error.message]);
      if (faults.length === 0) return;
      if (performance.now() > deadlineMs) {
        throw new Error(
          `not whole after ${withinMs} ms: ${faults.length} faults\n${faults.slice(0, 20).join('\n')}`,
        );
      }
      await delay(50);
    }
  }

  async #faults(): Promise<readonly string[]> {
    const { nodes, shards, moves, disagreements, registry } = await this.status();
    const up = nodes.filter(({ state }) => state === 'up').map(({ nodeId }) => nodeId);
    const absent = this.#rotation.filter((nodeId) => !up.includes(nodeId));
    const idle = shards.filter(({ state }) => state !== 'active');
    return [
      ...absent.map((nodeId) => `${nodeId} is not up`),
      ...idle.map(({ shardId, state, ownerNodeId }) => `shard ${shardId} of ${ownerNodeId}: ${state}`),
      ...moves.map(({ moveId, phase }) => `move ${moveId}: ${phase}`),
      ...disagreements,
      ...(registry === 'up' ? [] : [`the registry is ${registry}`]),
      ...(shards.length === shardCount ? [] : [`${shards.length} shards`]),
    ];
  }

  #anyNode(): UsherProcess {
    return this.node(this.#rotation[0] as string);
  }

  #member(nodeId: string): Member {
    const member = this.#members.get(nodeId);
    if (member === undefined) throw new Error(`there is no ${nodeId}`);
    return member;
  }
}

export const shardIdOf = (scheduleId: number): number => shardOf(scheduleId as ScheduleId, shardCount);
