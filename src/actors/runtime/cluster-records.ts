import type { ShardId } from '../allocator/ids.ts';

/**
 * What a cluster keeps of its operators' doings: moves, so that whoever coordinates next goes on with them, and
 * who asked for what, and why. In the store; never consulted for who owns a shard. Every call ends within the
 * adapter's time limit and may reject with StoreUnavailable.
 */
export interface ClusterRecords {
  /**
   * Records the moves, planned, and the action that asks for them, in one transaction. A shard that has an open
   * move already is left out. @returns the moves that were recorded, in order.
   */
  planMoves(moves: readonly MovePlan[], action: OperatorAction): Promise<readonly MoveRecord[]>;

  /** Planned and running, oldest first. */
  listOpenMoves(): Promise<readonly MoveRecord[]>;

  findMove(moveId: number): Promise<MoveRecord | undefined>;

  /**
   * planned → running → done | failed, or planned → failed; a move that has ended stays as it ended.
   * @param detail why it failed, for people; '' else. @returns whether it moved.
   */
  updateMove(
    moveId: number,
    phase: Exclude<MovePhase, 'planned'>,
    detail: string,
    atMs: number,
  ): Promise<boolean>;

  appendAction(action: OperatorAction): Promise<void>;

  /** Newest first. */
  listActions(limit: number): Promise<readonly OperatorAction[]>;
}

export const movePhases = ['planned', 'running', 'done', 'failed'] as const;
export type MovePhase = (typeof movePhases)[number];

export interface MovePlan {
  readonly shardId: ShardId;
  readonly fromNodeId: string;
  readonly toNodeId: string;
  /** Of the shard when it was planned. */
  readonly epoch: number;
}

export interface MoveRecord extends MovePlan {
  /** 1, 2, 3 … in order of planning, maybe with gaps. */
  readonly moveId: number;
  readonly phase: MovePhase;
  readonly detail: string;
  readonly plannedAtMs: number;
  /** 0 while it is open. */
  readonly endedAtMs: number;
}

/** Who asked for what, and why: each text has 1–500 characters, `why` may be empty. */
export interface OperatorAction {
  readonly atMs: number;
  /** The operator, or the node that acted by itself. */
  readonly who: string;
  /** `drain node-2`, `move 17 to node-3`, `claim 85 shards of node-1` … */
  readonly what: string;
  readonly why: string;
}
