import { type ScheduleId, type ShardId, shardOf } from '../../../src/actors/allocator/ids.ts';
import type {
  CommitResolution,
  JournalBatch,
  JournalRow,
  ShardEpoch,
} from '../../../src/actors/runtime/ports.ts';
import { MemoryStore } from '../../../src/persistence/memory/memory-store.ts';
import { JournalModel } from '../model/journal-model.ts';
import type { VirtualClock } from '../virtual-clock.ts';
import type { World } from '../world.ts';

/** What the database would show its auditor: every change of ownership and every batch, in order. */
export type LogEntry =
  | { readonly kind: 'epoch'; readonly shardId: ShardId; readonly epoch: number }
  | {
      readonly kind: 'batch';
      readonly shards: readonly ShardEpoch[];
      /** Those that are in the journal now. */
      readonly rows: readonly JournalRow[];
      /** The latest time that any clock had shown when the batch landed. */
      readonly latestWallMs: number;
    };

/**
 * The database: the memory store, which survives every crash of a node, and an auditor beside it who writes
 * down what became durable and when. Calls take effect at once; that they take time, fail and are lost on
 * the way is the business of StoreConnection.
 */
export class Database {
  readonly store = new MemoryStore();
  readonly log: LogEntry[] = [];

  readonly #shardCount: number;
  readonly #clock: VirtualClock;
  readonly #models = new Map<ScheduleId, JournalModel>();
  readonly #auditor: JournalAuditor;

  constructor(
    world: Pick<World, 'venues' | 'performances' | 'sales' | 'shardCount'>,
    clock: VirtualClock,
    auditor: JournalAuditor,
  ) {
    this.#shardCount = world.shardCount;
    this.#clock = clock;
    this.#auditor = auditor;
    for (const venue of world.venues) void this.store.createVenue(venue);
    for (const performance of world.performances) void this.store.createPerformance(performance);
    for (const { schedule, scheduleId, hall } of world.sales) {
      void this.store.createSchedule(schedule);
      this.#models.set(scheduleId, new JournalModel(hall.seats.length));
    }
  }

  /** What the journal says, told by rows that are in it. */
  get models(): ReadonlyMap<ScheduleId, JournalModel> {
    return this.#models;
  }

  model(scheduleId: ScheduleId): JournalModel {
    const model = this.#models.get(scheduleId) ?? new JournalModel(0);
    this.#models.set(scheduleId, model);
    return model;
  }

  /** Events of the schedule that the projection holds. */
  projectedRows(scheduleId: ScheduleId): number {
    return this.store.data.schedules.get(scheduleId)?.projection.projectedSeq ?? 0;
  }

  ownerOf(shardId: ShardId): string | undefined {
    return this.store.data.shards.get(shardId)?.owner;
  }

  shardOf(scheduleId: ScheduleId): ShardId {
    return shardOf(scheduleId, this.#shardCount);
  }

  claim(owner: string, shardIds: readonly ShardId[]): Promise<readonly ShardEpoch[]> {
    const answer = this.store.claimShards(owner, shardIds);
    this.#logEpochs(shardIds);
    return answer;
  }

  renew(owner: string, shardIds: readonly ShardId[]): Promise<readonly ShardEpoch[]> {
    const answer = this.store.renewShards(owner, shardIds);
    this.#logEpochs(shardIds);
    return answer;
  }

  transfer(shards: readonly ShardEpoch[], newOwner: string): Promise<readonly ShardEpoch[]> {
    const answer = this.store.transferShards(shards, newOwner);
    this.#logEpochs(shards.map(({ shardId }) => shardId));
    return answer;
  }

  commit(batch: JournalBatch): Promise<'committed' | 'fenced'> {
    const answer = this.store.commit(batch);
    const rows = [...new Set(batch.rows.map(({ scheduleId }) => scheduleId))].flatMap((id) =>
      this.#catchUp(id),
    );
    if (rows.length > 0) {
      const { latestWallMs } = this.#clock;
      this.log.push({ kind: 'batch', shards: batch.shards, rows, latestWallMs });
    }
    answer.catch(this.#auditor.onRefusedRows);
    return answer;
  }

  resolve(batch: JournalBatch): Promise<CommitResolution> {
    const answer = this.store.resolveCommit(batch);
    this.#logEpochs(batch.shards.map(({ shardId }) => shardId));
    return answer;
  }

  /** Epochs that have changed since the log last told of them. */
  #logEpochs(shardIds: readonly ShardId[]): void {
    for (const shardId of shardIds) {
      const epoch = this.store.data.shards.get(shardId)?.epoch ?? 0;
      const last = this.log.findLast((entry) => entry.kind === 'epoch' && entry.shardId === shardId);
      if (last?.kind !== 'epoch' || last.epoch !== epoch) this.log.push({ kind: 'epoch', shardId, epoch });
    }
  }

  /** Takes new rows of the store's journal into the model, in the order in which they landed. */
  #catchUp(scheduleId: ScheduleId): readonly JournalRow[] {
    const model = this.model(scheduleId);
    const journal = this.store.data.schedules.get(scheduleId)?.journal;
    if (journal === undefined || journal.size === model.length) return [];
    const rows = [...journal.values()].slice(model.length);
    for (const row of rows) {
      this.#auditor.onRow(row);
      model.append(row);
    }
    return rows;
  }
}

interface JournalAuditor {
  /** Rows that can't be: a seq that is there already, a shard that is not fenced. */
  onRefusedRows(error: unknown): void;
  /** A row is in the journal from now on. */
  onRow(row: JournalRow): void;
}
