import type { IdempotencyMark } from '../../actors/allocator/event.ts';
import type {
  IdempotencyKey,
  PerformanceId,
  ReservationNumber,
  ScheduleId,
  ShardId,
  VenueId,
} from '../../actors/allocator/ids.ts';
import type { CreationMark, Performance, Schedule, VenueSummary } from '../../actors/runtime/catalog.ts';
import type { ClusterRecords } from '../../actors/runtime/cluster-records.ts';
import type { JournalTrim, JournalTrimmed, SchedulePosition } from '../../actors/runtime/event-outbox.ts';
import type {
  CommitResolution,
  ReservationPage,
  ReservationQuery,
  ShardEpoch,
  ShardRecord,
  StoredReservation,
} from '../../actors/runtime/ports.ts';
import type { StoreStats } from '../../actors/runtime/store-stats.ts';
import type { StoredScheduleColumns } from '../image-columns.ts';
import type { BatchColumns, JournalColumns } from '../journal-columns.ts';
import type { ProjectionError } from '../projection-error.ts';

type Awaitable<T> = T | Promise<T>;

/**
 * What the main thread may call in the worker: the Store and EventOutbox ports with rows in columns and documents
 * as text, the shapes that are cheap to move between threads.
 */
export interface StoreProcedures {
  /** The schema version of the open store: answers when it is open and migrated. */
  opened(): Awaitable<number>;
  claimShards(owner: string, shardIds: readonly ShardId[]): Awaitable<readonly ShardEpoch[]>;
  renewShards(owner: string, shardIds: readonly ShardId[]): Awaitable<readonly ShardEpoch[]>;
  listShards(): Awaitable<readonly ShardRecord[]>;
  transferShards(
    shards: readonly ShardEpoch[],
    newOwner: string,
    how: 'given' | 'taken',
  ): Awaitable<readonly ShardEpoch[]>;
  followShards(shardIds: readonly ShardId[]): Awaitable<void>;
  commit(batch: BatchColumns): Awaitable<'committed' | 'fenced'>;
  resolveCommit(batchNumber: number, shards: readonly ShardEpoch[]): Awaitable<CommitResolution>;
  loadSchedule(
    scheduleId: ScheduleId,
    endedSinceMs: number,
    markedSinceMs: number,
  ): Awaitable<StoredScheduleColumns>;
  loadTail(scheduleId: ScheduleId, afterSeq: number): Awaitable<JournalColumns>;
  schedulesWithOpenWork(): Awaitable<readonly ScheduleId[]>;
  projectAll(): Promise<void>;
  readUnpublished(eventsMax: number): Awaitable<OutboxColumns>;
  markPublished(positions: readonly SchedulePosition[]): Awaitable<void>;
  trimJournal(trim: JournalTrim): Awaitable<JournalTrimmed>;
  listReservations(query: ReservationQuery): Awaitable<ReservationPage>;
  findReservation(
    scheduleId: ScheduleId,
    number: ReservationNumber,
  ): Awaitable<StoredReservation | undefined>;
  createVenue(venue: VenueRow, mark?: IdempotencyMark): Awaitable<VenueId>;
  createPerformance(
    performance: Omit<Performance, 'performanceId'>,
    mark?: IdempotencyMark,
  ): Awaitable<PerformanceId>;
  createSchedule(schedule: Omit<Schedule, 'scheduleId'>, mark?: IdempotencyMark): Awaitable<ScheduleId>;
  /** Remembers the ledger that belongs to this store, the first time; answers which one does. */
  linkLedger(ledgerId: string): Awaitable<LedgerLink>;
  listCreationMarks(): Awaitable<readonly CreationMark[]>;
  findCreationMark(key: IdempotencyKey): Awaitable<CreationMark | undefined>;
  listVenues(afterId: number): Awaitable<readonly VenueSummary[]>;
  loadVenue(venueId: VenueId): Awaitable<VenueRow | undefined>;
  listPerformances(afterId: number): Awaitable<readonly Performance[]>;
  listSchedules(afterId: number): Awaitable<readonly (Schedule & { readonly available: number })[]>;
  stats(): StoreStats;
  /** Closes files and connections and ends the worker. */
  close(): Awaitable<void>;
}

/** An OutboxChunk with its rows in columns. */
export interface OutboxColumns {
  readonly rows: JournalColumns;
  readonly backlogEvents: number;
}

export interface VenueRow {
  readonly name: string;
  readonly seats: number;
  /** JSON of the sections. */
  readonly layout: string;
}

export interface LedgerLink {
  /** Of this store. */
  readonly journalId: string;
  readonly ledgerId: string;
}

/** ClusterRecords are kept by a store that several nodes share. */
export type Procedures = StoreProcedures & ClusterRecords;

export type ProcedureName = keyof Procedures;
export type ProcedureParameters<Name extends ProcedureName> = Parameters<Procedures[Name]>;
export type ProcedureResult<Name extends ProcedureName> = Awaited<ReturnType<Procedures[Name]>>;

/** Main thread → worker. */
export interface CallMessage {
  readonly callId: number;
  readonly procedure: ProcedureName;
  readonly parameters: readonly unknown[];
}

/** Worker → main thread. */
export type WorkerMessage =
  | { readonly kind: 'result'; readonly callId: number; readonly value: unknown }
  | {
      readonly kind: 'failure';
      readonly callId: number;
      readonly message: string;
      /** COMMIT itself failed, and the transaction may be there or not. */
      readonly outcomeUnknown: boolean;
    }
  | { readonly kind: 'notice'; readonly notice: StoreNotice };

/** What the worker tells without being asked, for people. */
export type StoreNotice =
  /** A schedule's projection stopped: sales go on, people's queries of it grow stale. */
  | { readonly kind: 'projection-error'; readonly error: ProjectionError }
  /** Contained, and tried again. */
  | { readonly kind: 'fault'; readonly fault: string; readonly message: string }
  | { readonly kind: 'slow-statement'; readonly statement: string; readonly durationMs: number }
  /** Of the server's settings: what a crash could cost. */
  | { readonly kind: 'warning'; readonly message: string };
