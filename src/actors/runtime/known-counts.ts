import type { ScheduleId, ShardId } from '../allocator/ids.ts';
import type { AvailableCounts } from './available-counts.ts';
import type { CatalogCache } from './catalog-cache.ts';
import type { Ownership } from './ownership.ts';

/**
 * Which of the catalogue's counts of free seats are this node's own, and the others brought up to date.
 *
 * A count is our own while the shard is ours under the epoch under which we had it: from the store when the
 * shard was claimed and the catalogue read after that, or from the schedule's actor. Every change since then
 * went through an actor of ours. Under another epoch somebody else may have sold in between.
 */
export class KnownCounts {
  readonly #catalog: CatalogCache;
  readonly #ownership: Ownership;
  readonly #published: AvailableCounts;
  readonly #shardOf: (scheduleId: ScheduleId) => ShardId;
  /** Epoch under which the counts of a whole shard were read. */
  readonly #shardEpochs = new Map<ShardId, number>();
  /** Epoch under which the schedule's actor has told its count. */
  readonly #scheduleEpochs = new Map<ScheduleId, number>();

  constructor(
    catalog: CatalogCache,
    ownership: Ownership,
    published: AvailableCounts,
    shardOf: (scheduleId: ScheduleId) => ShardId,
  ) {
    this.#catalog = catalog;
    this.#ownership = ownership;
    this.#published = published;
    this.#shardOf = shardOf;
  }

  /** The catalogue was read after these shards had been claimed. */
  onLoaded(shardIds: Iterable<ShardId>): void {
    for (const shardId of shardIds) {
      const epoch = this.#epochOf(shardId);
      if (epoch !== undefined) this.#shardEpochs.set(shardId, epoch);
    }
  }

  /** The actor of the schedule has this many seats free, on disk. */
  onCount(scheduleId: ScheduleId, seq: number, available: number): void {
    const epoch = this.#epochOf(this.#shardOf(scheduleId));
    if (epoch !== undefined) this.#scheduleEpochs.set(scheduleId, epoch);
    this.#catalog.setAvailable(scheduleId, available);
    this.#published.publish(scheduleId, seq, available);
  }

  /**
   * Brings the catalogue's counts of other nodes' schedules up to date, as far as their owners have told them.
   * Never rejects. Undefined when all of these are our own, and there is nothing to wait for.
   */
  refresh(scheduleIds: readonly ScheduleId[]): Promise<void> | undefined {
    const foreign = scheduleIds.filter((scheduleId) => !this.#isOwn(scheduleId));
    return foreign.length === 0 ? undefined : this.#learn(foreign);
  }

  async #learn(scheduleIds: readonly ScheduleId[]): Promise<void> {
    for (const [scheduleId, available] of await this.#published.read(scheduleIds)) {
      // It may have become our own meanwhile.
      if (!this.#isOwn(scheduleId)) this.#catalog.setAvailable(scheduleId, available);
    }
  }

  #isOwn(scheduleId: ScheduleId): boolean {
    const shardId = this.#shardOf(scheduleId);
    const epoch = this.#epochOf(shardId);
    return (
      epoch !== undefined &&
      (epoch === this.#shardEpochs.get(shardId) || epoch === this.#scheduleEpochs.get(scheduleId))
    );
  }

  /** Undefined unless it is ours. */
  #epochOf(shardId: ShardId): number | undefined {
    return this.#ownership.standing(shardId) === 'owned' ? this.#ownership.epoch(shardId) : undefined;
  }
}
