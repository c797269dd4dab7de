import { type ScheduleId, type ShardId, shardOf } from '../actors/allocator/ids.ts';
import type {
  ClusterControl,
  ClusterStatus,
  ControlRefusal,
  MoveStatus,
  NodeStatus,
  Operator,
  ShardStatus,
} from '../actors/runtime/cluster-control.ts';
import type {
  ClusterRecords,
  MovePlan,
  MoveRecord,
  OperatorAction,
} from '../actors/runtime/cluster-records.ts';
import type { Clock, ShardRecord, ShardStore } from '../actors/runtime/ports.ts';
import { shardDisagreements } from './disagreements.ts';
import { nodeIdOf } from './instance-id.ts';
import type { Membership } from './membership.ts';
import type { Orders } from './orders.ts';
import { plannedDrain, plannedRebalance, shownShards } from './placement-input.ts';
import type { LiveNode, Registry } from './registry.ts';
import type { RouteTable } from './route-table.ts';

/** Shows the cluster to its operators and takes their wishes down; the coordinator carries them out. */
export class ClusterOperator implements ClusterControl {
  readonly #options: ClusterOperatorOptions;

  constructor(options: ClusterOperatorOptions) {
    this.#options = options;
  }

  async status(): Promise<ClusterStatus> {
    const { store, records, registry, membership } = this.#options;
    const live = membership.live();
    const [owners, open, advertised, silent] = await Promise.all([
      store.listShards(),
      records.listOpenMoves(),
      registry.readShards().catch(() => undefined),
      this.#silentNodes(live),
    ]);
    return {
      nodes: nodesOf(live, owners),
      shards: this.#shardsOf(live, owners, open),
      moves: movesOf(live, open),
      disagreements: [
        ...silent.map((name) => `${name} beats, but does not answer this node: the logs of both say why`),
        ...shardDisagreements({ live, owners, advertised }),
      ],
      coordinatorNodeId: nameOf(membership.coordinatorId),
      isRegistryUp: membership.isRegistryUp && advertised !== undefined,
    };
  }

  ownerOf(scheduleId: ScheduleId): { readonly shardId: ShardId; readonly ownerNodeId: string | undefined } {
    const shardId = shardOf(scheduleId, this.#options.shardCount);
    return { shardId, ownerNodeId: nameOf(this.#options.routes.ownerOf(shardId)?.owner) };
  }

  async move(
    shardId: ShardId,
    toNodeId: string,
    by: Operator,
  ): Promise<readonly MoveRecord[] | ControlRefusal> {
    const { store, membership, shardCount } = this.#options;
    if (!membership.isRegistryUp) return noRegistry;
    if (shardId >= shardCount) return refuse('unknown-shard', `There are shards 0 to ${shardCount - 1}.`);
    if (membership.upInstanceOf(toNodeId) === undefined) {
      const isThere = membership.live().some(({ instanceId }) => nameOf(instanceId) === toNodeId);
      return isThere ? refuse('not-possible', `${toNodeId} drains.`) : this.#unknownNode(toNodeId);
    }
    const record = (await store.listShards()).find((each) => each.shardId === shardId);
    const fromNodeId = nameOf(record?.owner);
    if ((await this.#silentNodes(membership.live())).includes(toNodeId)) {
      return refuse('not-possible', `${toNodeId} does not answer this node: the logs of both say why.`);
    }
    if (record === undefined || fromNodeId === undefined) {
      return refuse('not-possible', `Nobody owns shard ${shardId} yet.`);
    }
    if (fromNodeId === toNodeId) return refuse('not-possible', `${toNodeId} owns shard ${shardId} already.`);
    const plan = { shardId, fromNodeId, toNodeId, epoch: record.epoch };
    const moves = await this.#record([plan], `move shard ${shardId} to ${toNodeId}`, by);
    return moves.length > 0 ? moves : refuse('not-possible', `Shard ${shardId} is being moved already.`);
  }

  async drain(nodeId: string, by: Operator): Promise<readonly MoveRecord[] | ControlRefusal> {
    const { store, records, membership, orders, clock, shardCount } = this.#options;
    if (!membership.isRegistryUp) return noRegistry;
    const node = membership.live().find(({ instanceId }) => nameOf(instanceId) === nodeId);
    if (node === undefined) return this.#unknownNode(nodeId);
    const others = membership
      .live()
      .filter(({ state, instanceId }) => state === 'up' && instanceId !== node.instanceId);
    if (others.length === 0)
      return refuse('not-possible', `No other node is up to take the shards of ${nodeId}.`);
    // Before it is begun: whoever asked is known, whatever comes of it.
    await records.appendAction({ atMs: clock.nowMs(), who: by.who, what: `drain ${nodeId}`, why: by.why });
    const told = await orders.drain(node.instanceId);
    if (!told.isDone) return refuse('not-possible', `${nodeId} does not answer: ${told.detail}.`);
    const plan = plannedDrain(node.instanceId, membership.live(), shardCount, await store.listShards());
    return this.#record(plan, `move ${plan.length} shards off ${nodeId}`, by);
  }

  async planRebalance(): Promise<readonly MovePlan[] | ControlRefusal> {
    const { store, records, membership, shardCount } = this.#options;
    if (!membership.isRegistryUp) return noRegistry;
    const [owners, open, silent] = await Promise.all([
      store.listShards(),
      records.listOpenMoves(),
      this.#silentNodes(membership.live()),
    ]);
    const reached = membership.live().filter(({ instanceId }) => !silent.includes(nodeIdOf(instanceId)));
    return plannedRebalance(reached, shardCount, owners, open);
  }

  async rebalance(by: Operator): Promise<readonly MoveRecord[] | ControlRefusal> {
    const plan = await this.planRebalance();
    return 'refusal' in plan ? plan : this.#record(plan, `rebalance: ${plan.length} moves`, by);
  }

  findMove(moveId: number): Promise<MoveRecord | undefined> {
    return this.#options.records.findMove(moveId);
  }

  listActions(limit: number): Promise<readonly OperatorAction[]> {
    return this.#options.records.listActions(limit);
  }

  /** Those that live, by the registry, and don't answer this node: another secret, a wrong address, a frozen process. */
  async #silentNodes(live: readonly LiveNode[]): Promise<readonly string[]> {
    const { orders } = this.#options;
    const names = await Promise.all(
      live.map(async ({ instanceId }) =>
        (await orders.ping(instanceId)) ? undefined : nodeIdOf(instanceId),
      ),
    );
    return names.filter((name) => name !== undefined);
  }

  #record(plan: readonly MovePlan[], what: string, { who, why }: Operator): Promise<readonly MoveRecord[]> {
    return this.#options.records.planMoves(plan, { atMs: this.#options.clock.nowMs(), who, what, why });
  }

  #unknownNode(nodeId: string): ControlRefusal {
    const names = this.#options.membership
      .live()
      .filter(({ state }) => state === 'up')
      .map(({ instanceId }) => nameOf(instanceId));
    return refuse(
      'unknown-node',
      `${nodeId} is no node that is up; there are ${names.join(', ') || 'none'}.`,
    );
  }

  #shardsOf(
    live: readonly LiveNode[],
    owners: readonly ShardRecord[],
    open: readonly MoveRecord[],
  ): readonly ShardStatus[] {
    const isLive = new Set(live.map(({ instanceId }) => instanceId));
    const isMoving = new Set(open.filter(({ phase }) => phase === 'running').map(({ shardId }) => shardId));
    const epochs = new Map(owners.map(({ shardId, epoch }) => [shardId, epoch]));
    return shownShards(live, this.#options.shardCount, owners).map(
      ({ shardId, owner, requestsPerSecond }) => {
        const isOwned = owner !== undefined && isLive.has(owner);
        return {
          shardId,
          ownerNodeId: nameOf(owner),
          epoch: epochs.get(shardId) ?? 0,
          state: isMoving.has(shardId) ? 'moving' : isOwned ? 'active' : 'orphaned',
          requestsPerSecond,
        };
      },
    );
  }
}

/** Those that live, and those that own something all the same. */
function nodesOf(live: readonly LiveNode[], owners: readonly ShardRecord[]): readonly NodeStatus[] {
  const owned = Map.groupBy(owners, ({ owner }) => owner);
  const shown = live.map((node) => ({
    nodeId: nodeIdOf(node.instanceId),
    version: node.version,
    url: node.url,
    state: node.state,
    heartbeatAgeMs: Math.round(node.heartbeatAgeMs),
    shards: owned.get(node.instanceId)?.length ?? 0,
    requestsPerSecond: Math.round(
      node.shards.reduce((sum, { requestsPerSecond }) => sum + requestsPerSecond, 0),
    ),
  }));
  const isLive = new Set(live.map(({ instanceId }) => instanceId));
  const lost = [...owned].filter(([owner]) => !isLive.has(owner));
  return [
    ...shown,
    ...lost.map(([owner, shards]) => ({
      nodeId: nodeIdOf(owner),
      version: '',
      url: '',
      state: 'lost' as const,
      heartbeatAgeMs: 0,
      shards: shards.length,
      requestsPerSecond: 0,
    })),
  ].sort((a, b) => (a.nodeId < b.nodeId ? -1 : 1));
}

function movesOf(live: readonly LiveNode[], open: readonly MoveRecord[]): readonly MoveStatus[] {
  const liveMoves = new Map(live.flatMap(({ moves }) => moves.map((move) => [move.moveId, move])));
  return open.map(({ moveId, shardId, fromNodeId, toNodeId, phase, plannedAtMs }) => ({
    moveId,
    shardId,
    fromNodeId,
    toNodeId,
    phase: liveMoves.get(moveId)?.phase ?? phase,
    startedAtMs: liveMoves.get(moveId)?.startedAtMs ?? plannedAtMs,
  }));
}

const nameOf = (instanceId: string | undefined): string | undefined =>
  instanceId === undefined ? undefined : nodeIdOf(instanceId);

const refuse = (refusal: ControlRefusal['refusal'], message: string): ControlRefusal => ({
  refusal,
  message,
});

const noRegistry = refuse('no-registry', 'Redis does not answer, and without it nobody coordinates.');

interface ClusterOperatorOptions {
  readonly shardCount: number;
  readonly store: Pick<ShardStore, 'listShards'>;
  readonly records: ClusterRecords;
  readonly registry: Registry;
  readonly membership: Membership;
  readonly routes: RouteTable;
  readonly orders: Orders;
  readonly clock: Clock;
}
