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
import type { ClusterRecords } from '../../actors/runtime/cluster-records.ts';
import type {
  EventOutbox,
  JournalTrim,
  JournalTrimmed,
  OutboxChunk,
  SchedulePosition,
} from '../../actors/runtime/event-outbox.ts';
import type {
  CommitResolution,
  JournalBatch,
  JournalRow,
  ReservationPage,
  ReservationQuery,
  ShardEpoch,
  ShardRecord,
  Store,
  StoredReservation,
  StoredSchedule,
} from '../../actors/runtime/ports.ts';
import type { StoreStats } from '../../actors/runtime/store-stats.ts';
import { toJournalColumns, toJournalRows } from '../journal-columns.ts';
import { countSeats } from '../venue-capacity.ts';
import type {
  LedgerLink,
  OutboxColumns,
  ProcedureName,
  ProcedureParameters,
  ProcedureResult,
  StoreNotice,
  VenueRow,
} from './store-procedures.ts';
import { WorkerClusterRecords } from './worker-cluster-records.ts';
import { WorkerLink } from './worker-link.ts';

interface WorkerStoreOptions {
  /** The worker's module: it answers StoreProcedures (answer-calls.ts). */
  readonly entry: URL;
  readonly workerData: unknown;
  /** A call that takes longer fails, and its worker is replaced. */
  readonly callLimitMs: number;
  /** The same for calls that read or project whole schedules. */
  readonly longCallLimitMs: number;
  readonly onNotice: (notice: StoreNotice) => void;
  /** A batch is on disk, or shards came: there may be something to publish. */
  readonly onCommitted?: () => void;
}

/** The Store port on a worker thread that has all the SQL; this side turns the port's calls into messages. */
export class WorkerStore implements Store, EventOutbox {
  readonly #link: WorkerLink;
  readonly #callLimitMs: number;
  readonly #longCallLimitMs: number;
  readonly #onCommitted: (() => void) | undefined;

  constructor(options: WorkerStoreOptions) {
    this.#callLimitMs = options.callLimitMs;
    this.#longCallLimitMs = options.longCallLimitMs;
    this.#onCommitted = options.onCommitted;
    this.#link = new WorkerLink(options);
  }

  /** The schema version, once the store is open. */
  opened(): Promise<number> {
    return this.#callLong('opened');
  }

  /** Remembers the ledger that belongs to this store, the first time; answers which one does. */
  linkLedger(ledgerId: string): Promise<LedgerLink> {
    return this.#call('linkLedger', ledgerId);
  }

  /** Of MySQL, which several nodes may share: SQLite has none. */
  clusterRecords(): ClusterRecords {
    return new WorkerClusterRecords(this.#link, this.#callLimitMs);
  }

  claimShards(owner: string, shardIds: readonly ShardId[]): Promise<readonly ShardEpoch[]> {
    return this.#call('claimShards', owner, shardIds);
  }

  renewShards(owner: string, shardIds: readonly ShardId[]): Promise<readonly ShardEpoch[]> {
    return this.#call('renewShards', owner, shardIds);
  }

  listShards(): Promise<readonly ShardRecord[]> {
    return this.#call('listShards');
  }

  transferShards(
    shards: readonly ShardEpoch[],
    newOwner: string,
    how: 'given' | 'taken',
  ): Promise<readonly ShardEpoch[]> {
    return this.#call('transferShards', shards, newOwner, how);
  }

  async followShards(shardIds: readonly ShardId[]): Promise<void> {
    await this.#call('followShards', shardIds);
    // What their last owner has not published.
    this.#onCommitted?.();
  }

  async commit({ batchNumber, shards, rows }: JournalBatch): Promise<'committed' | 'fenced'> {
    const outcome = await this.#call('commit', { batchNumber, shards, rows: toJournalColumns(rows) });
    if (outcome === 'committed') this.#onCommitted?.();
    return outcome;
  }

  async resolveCommit({ batchNumber, shards }: JournalBatch): Promise<CommitResolution> {
    const resolution = await this.#call('resolveCommit', batchNumber, shards);
    if (resolution.outcome === 'committed') this.#onCommitted?.();
    return resolution;
  }

  async loadSchedule(
    scheduleId: ScheduleId,
    { endedSinceMs, markedSinceMs }: { readonly endedSinceMs: number; readonly markedSinceMs: number },
  ): Promise<StoredSchedule> {
    const { image, tail } = await this.#callLong('loadSchedule', scheduleId, endedSinceMs, markedSinceMs);
    return { image, tail: toJournalRows(tail) };
  }

  async loadTail(scheduleId: ScheduleId, afterSeq: number): Promise<readonly JournalRow[]> {
    return toJournalRows(await this.#callLong('loadTail', scheduleId, afterSeq));
  }

  schedulesWithOpenWork(): Promise<readonly ScheduleId[]> {
    return this.#callLong('schedulesWithOpenWork');
  }

  projectAll(): Promise<void> {
    return this.#callLong('projectAll');
  }

  async readUnpublished(eventsMax: number): Promise<OutboxChunk> {
    const { rows, backlogEvents } = await this.readUnpublishedColumns(eventsMax);
    return { rows: toJournalRows(rows), backlogEvents };
  }

  /** readUnpublished without an object a row: for whoever hands it on to another thread. */
  readUnpublishedColumns(eventsMax: number): Promise<OutboxColumns> {
    return this.#call('readUnpublished', eventsMax);
  }

  markPublished(positions: readonly SchedulePosition[]): Promise<void> {
    return this.#call('markPublished', positions);
  }

  trimJournal(trim: JournalTrim): Promise<JournalTrimmed> {
    return this.#call('trimJournal', trim);
  }

  listReservations(query: ReservationQuery): Promise<ReservationPage> {
    return this.#call('listReservations', query);
  }

  findReservation(scheduleId: ScheduleId, number: ReservationNumber): Promise<StoredReservation | undefined> {
    return this.#call('findReservation', scheduleId, number);
  }

  createVenue(layout: Omit<VenueLayout, 'venueId'>, mark?: IdempotencyMark): Promise<VenueId> {
    const { name, sections } = layout;
    const row = { name, seats: countSeats(layout), layout: JSON.stringify(sections) };
    return this.#callLong('createVenue', row, mark);
  }

  createPerformance(
    performance: Omit<Performance, 'performanceId'>,
    mark?: IdempotencyMark,
  ): Promise<PerformanceId> {
    return this.#call('createPerformance', performance, mark);
  }

  createSchedule(schedule: Omit<Schedule, 'scheduleId'>, mark?: IdempotencyMark): Promise<ScheduleId> {
    return this.#call('createSchedule', schedule, mark);
  }

  listCreationMarks(): Promise<readonly CreationMark[]> {
    return this.#call('listCreationMarks');
  }

  findCreationMark(key: IdempotencyKey): Promise<CreationMark | undefined> {
    return this.#call('findCreationMark', key);
  }

  listVenues(afterId: number): Promise<readonly VenueSummary[]> {
    return this.#call('listVenues', afterId);
  }

  async loadVenue(venueId: VenueId): Promise<VenueLayout | undefined> {
    const row = await this.loadVenueRow(venueId);
    return row && { venueId, name: row.name, sections: JSON.parse(row.layout) };
  }

  /** loadVenue as it is stored, its layout a text. */
  loadVenueRow(venueId: VenueId): Promise<VenueRow | undefined> {
    return this.#call('loadVenue', venueId);
  }

  listPerformances(afterId: number): Promise<readonly Performance[]> {
    return this.#call('listPerformances', afterId);
  }

  listSchedules(afterId: number): Promise<readonly (Schedule & { readonly available: number })[]> {
    return this.#call('listSchedules', afterId);
  }

  stats(): Promise<StoreStats> {
    return this.#call('stats');
  }

  close(): Promise<void> {
    return this.#link.close(this.#longCallLimitMs);
  }

  #call<Name extends ProcedureName>(
    procedure: Name,
    ...parameters: ProcedureParameters<Name>
  ): Promise<ProcedureResult<Name>> {
    return this.#link.call(this.#callLimitMs, procedure, ...parameters);
  }

  #callLong<Name extends ProcedureName>(
    procedure: Name,
    ...parameters: ProcedureParameters<Name>
  ): Promise<ProcedureResult<Name>> {
    return this.#link.call(this.#longCallLimitMs, procedure, ...parameters);
  }
}
