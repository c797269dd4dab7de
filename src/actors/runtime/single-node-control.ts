import type { ScheduleId, ShardId } from '../allocator/ids.ts';
import type { ClusterControl, ClusterStatus, ControlRefusal } from './cluster-control.ts';
import type { ShardEpoch } from './ports.ts';

interface SingleNodeOptions {
  readonly nodeId: string;
  readonly version: string;
  /** Of its public port, which is known when it listens. */
  readonly url: () => string;
  readonly shardOf: (scheduleId: ScheduleId) => ShardId;
  readonly servedShards: () => readonly ShardEpoch[];
  /** Left out where nobody measures: a rate serves to spread load, and there is nobody to spread it to. 0 is shown. */
  readonly requestsPerSecondOf?: (shardId: ShardId) => number;
}

/**
 * A node on its own, to operators: the one node of its cluster. There is nobody to move anything to, and so
 * nothing to record.
 */
export function singleNodeControl(options: SingleNodeOptions): ClusterControl {
  const { nodeId, shardOf, servedShards } = options;
  return {
    status: async () => statusOf(options),
    ownerOf: (scheduleId) => {
      const shardId = shardOf(scheduleId);
      const isServed = servedShards().some((shard) => shard.shardId === shardId);
      return { shardId, ownerNodeId: isServed ? nodeId : undefined };
    },
    move: async () => notACluster,
    drain: async () => notACluster,
    planRebalance: async () => notACluster,
    rebalance: async () => notACluster,
    findMove: async () => undefined,
    listActions: async () => [],
  };
}

function statusOf(options: SingleNodeOptions): ClusterStatus {
  const { nodeId, version, url, servedShards, requestsPerSecondOf = () => 0 } = options;
  const shards = servedShards().map(({ shardId, epoch }) => ({
    shardId,
    ownerNodeId: nodeId,
    epoch,
    state: 'active' as const,
    requestsPerSecond: requestsPerSecondOf(shardId),
  }));
  return {
    nodes: [
      {
        nodeId,
        version,
        url: url(),
        state: 'up',
        heartbeatAgeMs: 0,
        shards: shards.length,
        requestsPerSecond: shards.reduce((sum, shard) => sum + shard.requestsPerSecond, 0),
      },
    ],
    shards,
    moves: [],
    disagreements: [],
    coordinatorNodeId: nodeId,
    // There is none to lose touch with: what is shown is as it is.
    isRegistryUp: true,
  };
}

const notACluster: ControlRefusal = {
  refusal: 'not-a-cluster',
  message:
    'This node is on its own. CLUSTER_SECRET, together with MYSQL_URL and REDIS_URL, makes it one of a cluster.',
};
