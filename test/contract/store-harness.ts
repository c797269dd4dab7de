import type { ScheduleId, ShardId } from '../../src/actors/allocator/ids.ts';
import type { EventOutbox } from '../../src/actors/runtime/event-outbox.ts';
import type { JournalBatch, JournalRow, ShardEpoch, Store } from '../../src/actors/runtime/ports.ts';

/** One set of data, which a test may open, close and open again. */
export interface StoreHarness<Opened extends Store = Store & EventOutbox> {
  open(): Promise<Opened>;
  /** Removes the data; every store is closed by then. */
  dispose(): void;
}

export const everything = { endedSinceMs: 0, markedSinceMs: 0 };

export const shardIds = (...ids: number[]): ShardId[] => ids as ShardId[];

export const scheduleIds = (...ids: number[]): ScheduleId[] => ids as ScheduleId[];

export function batchOf(
  batchNumber: number,
  shards: readonly ShardEpoch[],
  rows: readonly JournalRow[],
): JournalBatch {
  return { batchNumber, shards, rows };
}

/** Commits rows as the only owner of their shards, a batch a call. */
export class Committer {
  readonly #store: Store;
  #shards: readonly ShardEpoch[] = [];
  #batchNumber = 0;

  constructor(store: Store) {
    this.#store = store;
  }

  async claim(...ids: number[]): Promise<void> {
    this.#shards = await this.#store.claimShards('test', shardIds(...ids));
  }

  async commit(...rows: JournalRow[]): Promise<void> {
    this.#batchNumber += 1;
    const used = new Set(rows.map(({ shardId }) => shardId));
    const shards = this.#shards.filter(({ shardId }) => used.has(shardId));
    const answer = await this.#store.commit(batchOf(this.#batchNumber, shards, rows));
    if (answer !== 'committed') throw new Error(`batch ${this.#batchNumber} was ${answer}`);
  }
}
