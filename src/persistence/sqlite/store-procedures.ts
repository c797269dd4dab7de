import type { IdempotencyMark } from '../../actors/allocator/event.ts';
import type {
  PerformanceId,
  ReservationNumber,
  ScheduleId,
  ShardId,
  VenueId,
} from '../../actors/allocator/ids.ts';
import type { CreationMark, Performance, Schedule, VenueSummary } from '../../actors/runtime/catalog.ts';
import type {
  CommitResolution,
  ReservationPage,
  ReservationQuery,
  ShardEpoch,
  StoredReservation,
} from '../../actors/runtime/ports.ts';
import type { VenueRow } from './catalog-rows.ts';
import type { BatchColumns } from './journal.ts';
import type { ProjectionError } from './projector.ts';
import type { StoredScheduleColumns } from './recovery-image.ts';

/**
 * What the main thread may call in the worker: the Store port with rows in columns and documents as text,
 * the shapes that are cheap to move between threads.
 */
export interface StoreProcedures {
  /** The schema version of the open file: answers when the file is open and migrated. */
  opened(): number;
  claimShards(owner: string, shardIds: readonly ShardId[]): readonly ShardEpoch[];
  renewShards(owner: string, shardIds: readonly ShardId[]): readonly ShardEpoch[];
  commit(batch: BatchColumns): 'committed' | 'fenced';
  resolveCommit(batchNumber: number, shards: readonly ShardEpoch[]): CommitResolution;
  loadSchedule(scheduleId: ScheduleId, endedSinceMs: number, markedSinceMs: number): StoredScheduleColumns;
  schedulesWithOpenWork(): readonly ScheduleId[];
  projectAll(): Promise<void>;
  listReservations(query: ReservationQuery): ReservationPage;
  findReservation(scheduleId: ScheduleId, number: ReservationNumber): StoredReservation | undefined;
  createVenue(venue: VenueRow, mark?: IdempotencyMark): VenueId;
  createPerformance(performance: Omit<Performance, 'performanceId'>, mark?: IdempotencyMark): PerformanceId;
  createSchedule(schedule: Omit<Schedule, 'scheduleId'>, mark?: IdempotencyMark): ScheduleId;
  /** Remembers the ledger that belongs to this file, the first time; answers which one does. */
  linkLedger(ledgerId: string): LedgerLink;
  listCreationMarks(): readonly CreationMark[];
  listVenues(): readonly VenueSummary[];
  loadVenue(venueId: VenueId): VenueRow | undefined;
  listPerformances(): readonly Performance[];
  listSchedules(): readonly (Schedule & { readonly available: number })[];
  /** Closes the file and ends the worker. */
  close(): void;
}

export interface LedgerLink {
  /** Of this file. */
  readonly journalId: string;
  readonly ledgerId: string;
}

export type ProcedureName = keyof StoreProcedures;
export type ProcedureResult<Name extends ProcedureName> = Awaited<ReturnType<StoreProcedures[Name]>>;

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
  | { readonly kind: 'projection-error'; readonly error: ProjectionError };

export interface StoreWorkerData {
  readonly directory: string;
}
