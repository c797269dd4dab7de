import type { IdempotencyMark } from '../../actors/allocator/event.ts';
import type {
  IdempotencyKey,
  PerformanceId,
  ReservationNumber,
  ScheduleId,
  ShardId,
  VenueId,
} from '../../actors/allocator/ids.ts';
import type { VenueLayout } from '../../actors/allocator/venue-layout.ts';
import type { CreationMark, Performance, Schedule, VenueSummary } from '../../actors/runtime/catalog.ts';
import { decodeEvent } from '../../actors/runtime/event-codec.ts';
import type {
  EventOutbox,
  JournalTrim,
  JournalTrimmed,
  OutboxChunk,
  SchedulePosition,
} from '../../actors/runtime/event-outbox.ts';
import {
  type CommitResolution,
  type JournalBatch,
  type JournalRow,
  type ReservationPage,
  type ReservationQuery,
  type ShardEpoch,
  type ShardRecord,
  type Store,
  type StoredReservation,
  type StoredSchedule,
  StoreUnavailable,
} from '../../actors/runtime/ports.ts';
import { guard } from '../projection-guard.ts';
import { countSeats } from '../venue-capacity.ts';
import { memoryImage } from './memory-image.ts';
import { markMemoryPublished, readMemoryUnpublished, trimMemoryJournal } from './memory-outbox.ts';
import { listMemoryReservations, storedReservation } from './memory-queries.ts';
import {
  emptyMemoryStoreData,
  type MemorySchedule,
  type MemoryStoreData,
  scheduleIn,
  venueOf,
} from './memory-store-data.ts';

/**
 * The Store and EventOutbox ports in memory, for tests and the simulation. A call takes its whole effect before it returns
 * its promise, so the order of calls is the order of effects, and nothing depends on time.
 *
 * A crash is a new MemoryStore on the same data. It projects only in projectAll and projectSome, so a test
 * decides how long a tail the journal has behind the image.
 */
export class MemoryStore implements Store, EventOutbox {
  readonly data: MemoryStoreData;
  #isClosed = false;

  constructor(data: MemoryStoreData = emptyMemoryStoreData()) {
    this.data = data;
  }

  async claimShards(owner: string, shardIds: readonly ShardId[]): Promise<readonly ShardEpoch[]> {
    this.#checkOpen();
    return shardIds.map((shardId) => {
      const epoch = (this.data.shards.get(shardId)?.epoch ?? 0) + 1;
      this.data.shards.set(shardId, { epoch, owner, lastBatch: 0 });
      return { shardId, epoch };
    });
  }

  async renewShards(owner: string, shardIds: readonly ShardId[]): Promise<readonly ShardEpoch[]> {
    this.#checkOpen();
    return shardIds.flatMap((shardId) => {
      const shard = this.data.shards.get(shardId);
      if (shard?.owner !== owner) return [];
      const epoch = shard.epoch + 1;
      this.data.shards.set(shardId, { ...shard, epoch });
      return [{ shardId, epoch }];
    });
  }

  async listShards(): Promise<readonly ShardRecord[]> {
    this.#checkOpen();
    return [...this.data.shards]
      .map(([shardId, { epoch, owner }]) => ({ shardId, epoch, owner }))
      .sort((a, b) => a.shardId - b.shardId);
  }

  async transferShards(shards: readonly ShardEpoch[], newOwner: string): Promise<readonly ShardEpoch[]> {
    this.#checkOpen();
    return shards.flatMap(({ shardId, epoch }) => {
      if ((this.data.shards.get(shardId)?.epoch ?? 0) !== epoch) return [];
      this.data.shards.set(shardId, { epoch: epoch + 1, owner: newOwner, lastBatch: 0 });
      return [{ shardId, epoch: epoch + 1 }];
    });
  }

  async followShards(): Promise<void> {
    this.#checkOpen();
  }

  async commit(batch: JournalBatch): Promise<'committed' | 'fenced'> {
    this.#checkOpen();
    const { batchNumber, shards, rows } = batch;
    const isFenced = shards.some(({ shardId, epoch }) => {
      const shard = this.data.shards.get(shardId);
      return shard?.epoch !== epoch || shard.lastBatch >= batchNumber;
    });
    if (isFenced) return 'fenced';
    this.#checkRows(batch);
    for (const row of rows) {
      const schedule = scheduleIn(this.data, row.scheduleId);
      schedule.journal.set(row.seq, row);
      schedule.lastSeq = Math.max(schedule.lastSeq, row.seq);
      this.data.unpublished.noteCommitted(row.scheduleId, row.seq);
    }
    for (const { shardId } of shards) this.data.shards.get(shardId)!.lastBatch = batchNumber;
    return 'committed';
  }

  /** What the SQL stores refuse by their primary key; all rows before any is written. */
  #checkRows({ shards, rows }: JournalBatch): void {
    const shardIds = new Set(shards.map(({ shardId }) => shardId));
    const keys = new Set<string>();
    for (const { scheduleId, shardId, seq } of rows) {
      if (!shardIds.has(shardId)) {
        throw new StoreUnavailable(`a row of shard ${shardId} in a batch that does not fence it`);
      }
      const key = `${scheduleId}-${seq}`;
      if (keys.has(key) || this.data.schedules.get(scheduleId)?.journal.has(seq)) {
        throw new StoreUnavailable(`schedule ${scheduleId} has seq ${seq} already`);
      }
      keys.add(key);
    }
  }

  async resolveCommit({ batchNumber, shards }: JournalBatch): Promise<CommitResolution> {
    this.#checkOpen();
    const stored = shards.map(({ shardId }) => this.data.shards.get(shardId));
    if (stored.some((shard, i) => shard?.epoch !== shards[i]!.epoch)) return { outcome: 'fenced' };
    const raised = shards.map(({ shardId }) => {
      const shard = this.data.shards.get(shardId)!;
      shard.epoch += 1;
      return { shardId, epoch: shard.epoch };
    });
    const isCommitted = stored.every((shard) => shard!.lastBatch === batchNumber);
    return { outcome: isCommitted ? 'committed' : 'not-committed', shards: raised };
  }

  async loadSchedule(
    scheduleId: ScheduleId,
    since: { readonly endedSinceMs: number; readonly markedSinceMs: number },
  ): Promise<StoredSchedule> {
    this.#checkOpen();
    const { projection } = scheduleIn(this.data, scheduleId);
    return { image: memoryImage(projection, since), tail: this.#tail(scheduleId, projection.projectedSeq) };
  }

  async loadTail(scheduleId: ScheduleId, afterSeq: number): Promise<readonly JournalRow[]> {
    this.#checkOpen();
    return this.#tail(scheduleId, afterSeq);
  }

  #tail(scheduleId: ScheduleId, afterSeq: number): JournalRow[] {
    const rows = [...(this.data.schedules.get(scheduleId)?.journal.values() ?? [])];
    return rows.filter(({ seq }) => seq > afterSeq).sort((a, b) => a.seq - b.seq);
  }

  async schedulesWithOpenWork(): Promise<readonly ScheduleId[]> {
    this.#checkOpen();
    const open: ScheduleId[] = [];
    for (const [scheduleId, { lastSeq, projection }] of this.data.schedules) {
      if (lastSeq > projection.projectedSeq || projection.hasOpenReservation()) open.push(scheduleId);
    }
    return open;
  }

  async projectAll(): Promise<void> {
    this.#checkOpen();
    this.projectSome(Number.POSITIVE_INFINITY);
  }

  /**
   * Projects at most so many events, schedule by schedule; returns how many. A schedule whose journal a guard
   * refuses stays where it is; when all others are done, StoreUnavailable tells of it.
   */
  projectSome(eventsMax: number): number {
    let applied = 0;
    let refusal: StoreUnavailable | undefined;
    for (const [scheduleId, schedule] of this.data.schedules) {
      try {
        while (applied < eventsMax && schedule.projection.projectedSeq < schedule.lastSeq) {
          projectNext(schedule);
          applied += 1;
        }
      } catch (error) {
        refusal ??= new StoreUnavailable(`schedule ${scheduleId}: ${(error as Error).message}`, {
          cause: error,
        });
      }
    }
    if (refusal !== undefined) throw refusal;
    return applied;
  }

  async readUnpublished(eventsMax: number): Promise<OutboxChunk> {
    this.#checkOpen();
    return readMemoryUnpublished(this.data, eventsMax);
  }

  async markPublished(positions: readonly SchedulePosition[]): Promise<void> {
    this.#checkOpen();
    markMemoryPublished(this.data, positions);
  }

  async trimJournal(trim: JournalTrim): Promise<JournalTrimmed> {
    this.#checkOpen();
    return trimMemoryJournal(this.data, trim);
  }

  async listReservations(query: ReservationQuery): Promise<ReservationPage> {
    this.#checkOpen();
    return listMemoryReservations(this.data, query);
  }

  async findReservation(
    scheduleId: ScheduleId,
    number: ReservationNumber,
  ): Promise<StoredReservation | undefined> {
    this.#checkOpen();
    const reservation = this.data.schedules.get(scheduleId)?.projection.reservations.get(number);
    return reservation && storedReservation(scheduleId, reservation);
  }

  async createVenue(layout: Omit<VenueLayout, 'venueId'>, mark?: IdempotencyMark): Promise<VenueId> {
    this.#checkOpen();
    const venueId = (this.data.venues.length + 1) as VenueId;
    this.#keepMark(mark, venueId);
    this.data.venues.push({ venueId, ...structuredClone(layout) });
    return venueId;
  }

  async createPerformance(
    performance: Omit<Performance, 'performanceId'>,
    mark?: IdempotencyMark,
  ): Promise<PerformanceId> {
    this.#checkOpen();
    checkExists(this.data.venues[performance.venueId - 1], `venue ${performance.venueId}`);
    const performanceId = (this.data.performances.length + 1) as PerformanceId;
    this.#keepMark(mark, performanceId);
    this.data.performances.push({ performanceId, ...structuredClone(performance) });
    return performanceId;
  }

  async createSchedule(schedule: Omit<Schedule, 'scheduleId'>, mark?: IdempotencyMark): Promise<ScheduleId> {
    this.#checkOpen();
    checkExists(this.data.performances[schedule.performanceId - 1], `performance ${schedule.performanceId}`);
    const scheduleId = (this.data.catalogSchedules.length + 1) as ScheduleId;
    this.#keepMark(mark, scheduleId);
    this.data.catalogSchedules.push({ scheduleId, ...schedule });
    return scheduleId;
  }

  async listCreationMarks(): Promise<readonly CreationMark[]> {
    this.#checkOpen();
    return [...this.data.creationMarks];
  }

  async findCreationMark(key: IdempotencyKey): Promise<CreationMark | undefined> {
    this.#checkOpen();
    return this.data.creationMarks.find((mark) => mark.key === key);
  }

  #keepMark(mark: IdempotencyMark | undefined, id: number): void {
    if (mark === undefined) return;
    if (this.data.creationMarks.some(({ key }) => key === mark.key))
      throw new Error(`key ${mark.key} is taken`);
    this.data.creationMarks.push({ ...mark, id });
  }

  async listVenues(afterId: number): Promise<readonly VenueSummary[]> {
    this.#checkOpen();
    return this.data.venues.slice(afterId).map((venue) => ({
      venueId: venue.venueId,
      name: venue.name,
      seats: countSeats(venue),
    }));
  }

  async loadVenue(venueId: VenueId): Promise<VenueLayout | undefined> {
    this.#checkOpen();
    return this.data.venues[venueId - 1];
  }

  async listPerformances(afterId: number): Promise<readonly Performance[]> {
    this.#checkOpen();
    return this.data.performances.slice(afterId);
  }

  async listSchedules(afterId: number): Promise<readonly (Schedule & { readonly available: number })[]> {
    this.#checkOpen();
    return this.data.catalogSchedules.slice(afterId).map((schedule) => {
      const taken = this.data.schedules.get(schedule.scheduleId)?.projection.holders.size ?? 0;
      return { ...schedule, available: countSeats(venueOf(this.data, schedule)) - taken };
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new StoreUnavailable('the store is closed');
  }
}

function projectNext({ journal, projection }: MemorySchedule): void {
  const seq = projection.projectedSeq + 1;
  const row = journal.get(seq);
  guard(row !== undefined, `seq ${seq} is missing from the journal`);
  projection.apply(decodeEvent(row));
}

function checkExists(found: unknown, what: string): void {
  if (found === undefined) throw new StoreUnavailable(`${what} does not exist`);
}
