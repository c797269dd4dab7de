import type {
  ClusterRecords,
  MovePhase,
  MovePlan,
  MoveRecord,
  OperatorAction,
} from '../../actors/runtime/cluster-records.ts';
import { endedAtOf, isOpenMove, leadsTo, shortened } from '../move-phases.ts';

/** What several MemoryClusterRecords see, as nodes see one database. */
interface ClusterRecordsData {
  /** Element i has id i + 1. */
  readonly moves: MoveRecord[];
  readonly actions: OperatorAction[];
}

export const emptyClusterRecordsData = (): ClusterRecordsData => ({ moves: [], actions: [] });

/** ClusterRecords in memory, for tests and the simulation. A call takes its whole effect before it returns its promise. */
export class MemoryClusterRecords implements ClusterRecords {
  readonly #data: ClusterRecordsData;

  constructor(data: ClusterRecordsData = emptyClusterRecordsData()) {
    this.#data = data;
  }

  async planMoves(moves: readonly MovePlan[], action: OperatorAction): Promise<readonly MoveRecord[]> {
    const planned: MoveRecord[] = [];
    for (const { shardId, fromNodeId, toNodeId, epoch } of moves) {
      if (this.#data.moves.some((move) => move.shardId === shardId && isOpenMove(move))) continue;
      const move: MoveRecord = {
        shardId,
        fromNodeId,
        toNodeId,
        epoch,
        moveId: this.#data.moves.length + 1,
        phase: 'planned',
        detail: '',
        plannedAtMs: action.atMs,
        endedAtMs: 0,
      };
      this.#data.moves.push(move);
      planned.push(move);
    }
    this.#data.actions.push({ ...action });
    return planned;
  }

  async listOpenMoves(): Promise<readonly MoveRecord[]> {
    return this.#data.moves.filter(isOpenMove);
  }

  async findMove(moveId: number): Promise<MoveRecord | undefined> {
    return this.#data.moves[moveId - 1];
  }

  async updateMove(
    moveId: number,
    phase: Exclude<MovePhase, 'planned'>,
    detail: string,
    atMs: number,
  ): Promise<boolean> {
    const move = this.#data.moves[moveId - 1];
    if (move === undefined || !leadsTo[phase].includes(move.phase)) return false;
    const endedAtMs = endedAtOf(phase, atMs);
    this.#data.moves[moveId - 1] = { ...move, phase, detail: shortened(detail), endedAtMs };
    return true;
  }

  async appendAction(action: OperatorAction): Promise<void> {
    this.#data.actions.push({ ...action });
  }

  async listActions(limit: number): Promise<readonly OperatorAction[]> {
    return this.#data.actions.toReversed().slice(0, limit);
  }
}
