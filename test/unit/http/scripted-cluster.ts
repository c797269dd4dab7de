import type { ScheduleId, ShardId } from '../../../src/actors/allocator/ids.ts';
import type {
  ClusterControl,
  ClusterStatus,
  ControlRefusal,
  Operator,
} from '../../../src/actors/runtime/cluster-control.ts';
import type { MovePlan, MoveRecord, OperatorAction } from '../../../src/actors/runtime/cluster-records.ts';

/** A cluster that answers what the test says and remembers what it was asked. */
export class ScriptedCluster implements ClusterControl {
  readonly asked: unknown[] = [];
  /** Set to make every call that reaches the store fail with it. */
  failure: Error | undefined;
  onStatus: () => ClusterStatus = () => clusterStatus();
  /** The answer to whatever moves something. */
  planned: readonly MoveRecord[] | ControlRefusal = [];
  plan: readonly MovePlan[] | ControlRefusal = [];
  owner: string | undefined = 'node-1';
  actions: readonly OperatorAction[] = [];
  readonly moves = new Map<number, MoveRecord>();

  async status(): Promise<ClusterStatus> {
    this.#failIfTold();
    return this.onStatus();
  }

  ownerOf(scheduleId: ScheduleId) {
    return { shardId: (scheduleId + 16) as ShardId, ownerNodeId: this.owner };
  }

  async move(shardId: ShardId, toNodeId: string, by: Operator) {
    return this.#plan({ move: shardId, toNodeId, by });
  }

  async drain(nodeId: string, by: Operator) {
    return this.#plan({ drain: nodeId, by });
  }

  async rebalance(by: Operator) {
    return this.#plan({ rebalance: true, by });
  }

  async planRebalance() {
    this.#failIfTold();
    this.asked.push({ planRebalance: true });
    return this.plan;
  }

  async findMove(moveId: number): Promise<MoveRecord | undefined> {
    this.#failIfTold();
    return this.moves.get(moveId);
  }

  async listActions(limit: number): Promise<readonly OperatorAction[]> {
    this.#failIfTold();
    this.asked.push({ listActions: limit });
    return this.actions;
  }

  #plan(asked: object): readonly MoveRecord[] | ControlRefusal {
    this.#failIfTold();
    this.asked.push(asked);
    return this.planned;
  }

  #failIfTold(): void {
    if (this.failure !== undefined) throw this.failure;
  }
}

export const plannedAtMs = Date.UTC(2026, 11, 1, 11);

/** Move n is of shard n, from node-1 to node-2. */
export const moveRecord = (moveId: number, changes: Partial<MoveRecord> = {}): MoveRecord => ({
  moveId,
  shardId: moveId as ShardId,
  fromNodeId: 'node-1',
  toNodeId: 'node-2',
  epoch: 4,
  phase: 'planned',
  detail: '',
  plannedAtMs,
  endedAtMs: 0,
  ...changes,
});

export const clusterStatus = (changes: Partial<ClusterStatus> = {}): ClusterStatus => ({
  nodes: [nodeStatus('node-1'), nodeStatus('node-2')],
  shards: [],
  moves: [],
  disagreements: [],
  coordinatorNodeId: 'node-1',
  isRegistryUp: true,
  ...changes,
});

export const nodeStatus = (
  nodeId: string,
  changes: Partial<ClusterStatus['nodes'][number]> = {},
): ClusterStatus['nodes'][number] => ({
  nodeId,
  version: '1.0.0',
  url: `http://${nodeId}:8080`,
  state: 'up',
  heartbeatAgeMs: 210,
  shards: 0,
  requestsPerSecond: 0,
  ...changes,
});
