import type {
  ClusterRecords,
  MovePhase,
  MovePlan,
  MoveRecord,
  OperatorAction,
} from '../../actors/runtime/cluster-records.ts';
import type { WorkerLink } from './worker-link.ts';

/** ClusterRecords on the worker thread of the store. */
export class WorkerClusterRecords implements ClusterRecords {
  readonly #link: WorkerLink;
  readonly #callLimitMs: number;

  constructor(link: WorkerLink, callLimitMs: number) {
    this.#link = link;
    this.#callLimitMs = callLimitMs;
  }

  planMoves(moves: readonly MovePlan[], action: OperatorAction): Promise<readonly MoveRecord[]> {
    return this.#link.call(this.#callLimitMs, 'planMoves', moves, action);
  }

  listOpenMoves(): Promise<readonly MoveRecord[]> {
    return this.#link.call(this.#callLimitMs, 'listOpenMoves');
  }

  findMove(moveId: number): Promise<MoveRecord | undefined> {
    return this.#link.call(this.#callLimitMs, 'findMove', moveId);
  }

  updateMove(
    moveId: number,
    phase: Exclude<MovePhase, 'planned'>,
    detail: string,
    atMs: number,
  ): Promise<boolean> {
    return this.#link.call(this.#callLimitMs, 'updateMove', moveId, phase, detail, atMs);
  }

  appendAction(action: OperatorAction): Promise<void> {
    return this.#link.call(this.#callLimitMs, 'appendAction', action);
  }

  listActions(limit: number): Promise<readonly OperatorAction[]> {
    return this.#link.call(this.#callLimitMs, 'listActions', limit);
  }
}
