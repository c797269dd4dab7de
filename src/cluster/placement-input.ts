import type { ShardId } from '../actors/allocator/ids.ts';
import type { MovePlan } from '../actors/runtime/cluster-records.ts';
import type { ShardRecord } from '../actors/runtime/ports.ts';
import { nodeIdOf } from './instance-id.ts';
import {
  type PlacementMove,
  type PlacementNode,
  type PlacementShard,
  planDrain,
  planRebalance,
} from './placement.ts';
import type { LiveNode } from './registry.ts';

/** What placement.ts needs, out of what the registry says of nodes and the store of shards. */

export const shownNodes = (live: readonly LiveNode[]): readonly PlacementNode[] =>
  live.map(({ instanceId, state }) => ({
    instanceId,
    nodeId: nodeIdOf(instanceId),
    isDraining: state === 'draining',
  }));

export function shownShards(
  live: readonly LiveNode[],
  shardCount: number,
  records: readonly ShardRecord[],
): readonly PlacementShard[] {
  const rates = new Map(
    live.flatMap(({ shards }) =>
      shards.map(({ shardId, requestsPerSecond }) => [shardId, requestsPerSecond]),
    ),
  );
  const owners = new Map(records.map(({ shardId, owner }) => [shardId, owner]));
  return Array.from({ length: shardCount }, (_, index) => {
    const shardId = index as ShardId;
    return { shardId, owner: owners.get(shardId), requestsPerSecond: rates.get(shardId) ?? 0 };
  });
}

export function plannedDrain(
  instanceId: string,
  live: readonly LiveNode[],
  shardCount: number,
  records: readonly ShardRecord[],
): readonly MovePlan[] {
  return toPlans(planDrain(instanceId, shownNodes(live), shownShards(live, shardCount, records)), records);
}

/** @param open moves that are on their way: their takers count as owners, and their shards are left alone. */
export function plannedRebalance(
  live: readonly LiveNode[],
  shardCount: number,
  records: readonly ShardRecord[],
  open: readonly MovePlan[],
): readonly MovePlan[] {
  const nodes = shownNodes(live);
  const takerOf = new Map(open.map(({ shardId, toNodeId }) => [shardId, toNodeId]));
  const shards = shownShards(live, shardCount, records).map((shard) => {
    const taker = nodes.find(
      ({ nodeId, isDraining }) => !isDraining && nodeId === takerOf.get(shard.shardId),
    );
    return taker === undefined ? shard : { ...shard, owner: taker.instanceId };
  });
  return toPlans(planRebalance(nodes, shards), records).filter(({ shardId }) => !takerOf.has(shardId));
}

function toPlans(moves: readonly PlacementMove[], records: readonly ShardRecord[]): readonly MovePlan[] {
  const epochs = new Map(records.map(({ shardId, epoch }) => [shardId, epoch]));
  return moves.map(({ shardId, from, to }) => ({
    shardId,
    fromNodeId: from.nodeId,
    toNodeId: to.nodeId,
    epoch: epochs.get(shardId) ?? 0,
  }));
}
