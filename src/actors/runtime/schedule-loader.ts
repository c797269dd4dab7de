import type { ScheduleId } from '../allocator/ids.ts';
import type { ScheduleState, ScheduleTerms } from '../allocator/state.ts';
import type { JournalRow, StoredSchedule } from './ports.ts';
import { catchUp, recoverState } from './recovery.ts';

/** Makes the state of one schedule from the store; ahead of time as well, where its shard is about to come. */
export class ScheduleLoader {
  readonly #scheduleId: ScheduleId;
  readonly #source: ScheduleSource;
  /** Loaded while the shard was somebody else's: behind by what was decided there since. */
  #preloaded: ScheduleState | undefined;

  constructor(scheduleId: ScheduleId, source: ScheduleSource) {
    this.#scheduleId = scheduleId;
    this.#source = source;
  }

  /** Rejects with StoreUnavailable. */
  async preload(): Promise<void> {
    this.#preloaded = await this.#loadWhole();
  }

  forget(): void {
    this.#preloaded = undefined;
  }

  /** All that is on disk; to be called as the owner. Rejects with StoreUnavailable. */
  async load(): Promise<ScheduleState> {
    const preloaded = this.#preloaded;
    this.#preloaded = undefined;
    if (preloaded === undefined) return this.#loadWhole();
    catchUp(preloaded, await this.#source.loadTail(this.#scheduleId, preloaded.seq));
    return preloaded;
  }

  async #loadWhole(): Promise<ScheduleState> {
    const [terms, stored] = await Promise.all([
      this.#source.terms(this.#scheduleId),
      this.#source.load(this.#scheduleId),
    ]);
    return recoverState(terms, stored);
  }
}

export interface ScheduleSource {
  terms(scheduleId: ScheduleId): Promise<ScheduleTerms>;
  load(scheduleId: ScheduleId): Promise<StoredSchedule>;
  /** As ShardStore. */
  loadTail(scheduleId: ScheduleId, afterSeq: number): Promise<readonly JournalRow[]>;
}
