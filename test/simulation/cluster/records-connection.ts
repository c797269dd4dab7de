import type {
  ClusterRecords,
  MovePhase,
  MovePlan,
  MoveRecord,
  OperatorAction,
} from '../../../src/actors/runtime/cluster-records.ts';
import { StoreUnavailable } from '../../../src/actors/runtime/ports.ts';
import type { Owner, Scheduler } from '../scheduler.ts';
import type { Place } from './cluster-action.ts';
import type { ClusterFaults } from './cluster-faults.ts';
import { RemoteCalls } from './remote-calls.ts';

/** One node's way to what the cluster keeps of moves and operators, which is in the store. */
export class RecordsConnection implements ClusterRecords {
  readonly #records: ClusterRecords;
  readonly #calls: RemoteCalls;

  constructor({ records, scheduler, owner, place, faults }: RecordsConnectionOptions) {
    this.#records = records;
    this.#calls = new RemoteCalls({
      scheduler,
      owner,
      limitMs: 500,
      isReachable: () => faults.reachesStore(place),
      isUnheard: () => false,
      delayMs: () => 0,
      failure: (message) => new StoreUnavailable(message),
    });
  }

  planMoves(moves: readonly MovePlan[], action: OperatorAction): Promise<readonly MoveRecord[]> {
    return this.#calls.call('planMoves', () => this.#records.planMoves(moves, action));
  }

  listOpenMoves(): Promise<readonly MoveRecord[]> {
    return this.#calls.call('listOpenMoves', () => this.#records.listOpenMoves());
  }

  findMove(moveId: number): Promise<MoveRecord | undefined> {
    return this.#calls.call('findMove', () => this.#records.findMove(moveId));
  }

  updateMove(
    moveId: number,
    phase: Exclude<MovePhase, 'planned'>,
    detail: string,
    atMs: number,
  ): Promise<boolean> {
    const name = `move ${moveId} is ${phase} ${detail}`;
    return this.#calls.call(name, () => this.#records.updateMove(moveId, phase, detail, atMs));
  }

  appendAction(action: OperatorAction): Promise<void> {
    return this.#calls.call('appendAction', () => this.#records.appendAction(action));
  }

  listActions(limit: number): Promise<readonly OperatorAction[]> {
    return this.#calls.call('listActions', () => this.#records.listActions(limit));
  }
}

export interface RecordsConnectionOptions {
  /** Shared by all nodes. */
  readonly records: ClusterRecords;
  readonly scheduler: Scheduler;
  readonly owner: Owner;
  readonly place: Place;
  readonly faults: ClusterFaults;
}
