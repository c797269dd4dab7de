import type { ScheduleId, ShardId } from '../allocator/ids.ts';
import type { MovePlan, MoveRecord, OperatorAction } from './cluster-records.ts';

/**
 * What operators may ask of the cluster, at any of its nodes. Rejects with StoreUnavailable. A node on its own has
 * one as well: it shows itself, and refuses to move anything.
 */
export interface ClusterControl {
  status(): Promise<ClusterStatus>;
  /** Which shard a schedule is in, and its owner as far as this node knows. */
  ownerOf(scheduleId: ScheduleId): { readonly shardId: ShardId; readonly ownerNodeId: string | undefined };

  /** Plans the move; the coordinator carries it out. */
  move(shardId: ShardId, toNodeId: string, by: Operator): Promise<readonly MoveRecord[] | ControlRefusal>;
  /** The node takes no shards any more, and all of its shards move to others. */
  drain(nodeId: string, by: Operator): Promise<readonly MoveRecord[] | ControlRefusal>;
  /** The moves that spread the load; nothing is recorded. */
  planRebalance(): Promise<readonly MovePlan[] | ControlRefusal>;
  rebalance(by: Operator): Promise<readonly MoveRecord[] | ControlRefusal>;

  findMove(moveId: number): Promise<MoveRecord | undefined>;
  /** Newest first. */
  listActions(limit: number): Promise<readonly OperatorAction[]>;
}

export interface Operator {
  readonly who: string;
  readonly why: string;
}

/** Nothing was done. `message` is for people. */
export interface ControlRefusal {
  readonly refusal: 'not-a-cluster' | 'unknown-node' | 'unknown-shard' | 'not-possible' | 'no-registry';
  readonly message: string;
}

export interface ClusterStatus {
  readonly nodes: readonly NodeStatus[];
  readonly shards: readonly ShardStatus[];
  /** Open ones, with the phase they are in right now where that is known. */
  readonly moves: readonly MoveStatus[];
  /** Where registry, store and nodes say different things, as lines for people. */
  readonly disagreements: readonly string[];
  readonly coordinatorNodeId: string | undefined;
  /** False while Redis does not answer: then this is what was known last. */
  readonly isRegistryUp: boolean;
}

export interface NodeStatus {
  readonly nodeId: string;
  readonly version: string;
  /** Its public port, for people. */
  readonly url: string;
  readonly state: 'up' | 'draining' | 'lost';
  readonly heartbeatAgeMs: number;
  readonly shards: number;
  readonly requestsPerSecond: number;
}

export interface ShardStatus {
  readonly shardId: ShardId;
  /** Undefined: nobody has ever had it. */
  readonly ownerNodeId: string | undefined;
  /** By the store. */
  readonly epoch: number;
  readonly state: 'active' | 'moving' | 'orphaned';
  readonly requestsPerSecond: number;
}

export interface MoveStatus {
  readonly moveId: number;
  readonly shardId: ShardId;
  readonly fromNodeId: string;
  readonly toNodeId: string;
  /** `planned`, `preloading`, `sealed`, `transferred`, `activating`, `done`, `failed`. */
  readonly phase: string;
  readonly startedAtMs: number;
}
