import type { ShardId } from '../actors/allocator/ids.ts';
import type { ShardEpoch, ShardRecord } from '../actors/runtime/ports.ts';

/**
 * Where nodes tell each other that they live and what they own: Redis, or memory in the simulation. It advertises,
 * and is never believed: what it loses or makes up costs time, and never a seat.
 *
 * Every call ends within the adapter's time limit and may reject with RegistryUnavailable: then it may have taken
 * effect, or not.
 */
export interface Registry {
  /**
   * "I live": good for `leaseMs` by the registry's own clock. Answers who else does, and who coordinates. With
   * `wantsToCoordinate` the coordinator's lease is taken when nobody has it, and renewed when this node has it;
   * without, it is given up.
   */
  beat(beat: Beat): Promise<RegistryView>;

  /** The same answer without being seen: changes nothing. */
  look(): Promise<RegistryView>;

  /** Takes the node's record back, and the coordinator's lease if it has it. */
  leave(instanceId: string): Promise<void>;

  /** Of each shard the highest epoch counts: what a node says that is no longer its owner changes nothing. */
  advertise(shards: readonly ShardRecord[]): Promise<void>;

  /** As advertised last; incomplete when the registry has lost something. */
  readShards(): Promise<readonly ShardRecord[]>;
}

export class RegistryUnavailable extends Error {
  override name = 'RegistryUnavailable';
}

export interface Beat {
  readonly record: NodeRecord;
  readonly leaseMs: number;
  readonly wantsToCoordinate: boolean;
}

export interface RegistryView {
  /** Whose lease has not ended, the asking node among them; by instanceId. */
  readonly nodes: readonly LiveNode[];
  readonly coordinatorId: string | undefined;
  /** Changes with every advertisement that changed something, and when the registry has lost them; '' for none. */
  readonly shardsVersion: string;
  /**
   * Names one life of the registry's memory: another one means that it has forgotten everything, and that nodes
   * it does not name may just not have beaten again yet. '' for `look` while nobody has ever beaten in it.
   */
  readonly generation: string;
}

export interface LiveNode extends NodeRecord {
  /** Since its last beat, by the registry's clock. */
  readonly heartbeatAgeMs: number;
}

/** What a node says of itself. */
export interface NodeRecord {
  readonly instanceId: string;
  readonly version: string;
  /** Of its public port, for people. */
  readonly url: string;
  readonly state: 'up' | 'draining';
  readonly startedAtMs: number;
  readonly shards: readonly ShardRate[];
  readonly moves: readonly LiveMove[];
}

/** A shard that the node serves, and what is asked of it. */
interface ShardRate extends ShardEpoch {
  readonly requestsPerSecond: number;
}

/** A move that the node carries out as its giver. */
export interface LiveMove {
  readonly moveId: number;
  readonly shardId: ShardId;
  readonly toInstanceId: string;
  readonly phase: 'preloading' | 'sealed' | 'transferred' | 'activating';
  readonly startedAtMs: number;
}
