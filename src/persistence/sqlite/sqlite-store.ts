import type { IdempotencyMark } from '../../actors/allocator/event.ts';
import type {
  PerformanceId,
  ReservationNumber,
  ScheduleId,
  ShardId,
  VenueId,
} from '../../actors/allocator/ids.ts';
import type { VenueLayout } from '../../actors/allocator/venue-layout.ts';
import type { CreationMark, Performance, Schedule, VenueSummary } from '../../actors/runtime/catalog.ts';
import type {
  CommitResolution,
  JournalBatch,
  ReservationPage,
  ReservationQuery,
  ShardEpoch,
  Store,
  StoredReservation,
  StoredSchedule,
} from '../../actors/runtime/ports.ts';
import { countSeats } from '../venue-capacity.ts';
import { toJournalColumns, toJournalRows } from './journal-columns.ts';
import type { ProjectionError } from './projector.ts';
import type { LedgerLink, ProcedureName, ProcedureResult, StoreProcedures } from './store-procedures.ts';
import { WorkerLink } from './worker-link.ts';

interface SqliteStoreOptions {
  /** Holds usher.db; must exist and be locked by this process (data-directory-lock.ts). */
  readonly directory: string;
  /** A call that takes longer fails, and its worker is replaced. Default 10 s. */
  readonly callLimitMs?: number;
  /** The same for calls that read or project whole schedules. Default 60 s. */
  readonly longCallLimitMs?: number;
  /** A schedule's projection stopped: sales go on, people's queries of it grow stale. Default: ignored. */
  readonly onProjectionError?: (error: ProjectionError) => void;
}

/**
 * Opens or creates the file and brings its schema up to date. Rejects with StoreUnavailable, whose message
 * is for people, when the file cannot be opened or was written by a newer Usher.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<SqliteStore> {
  const store = new SqliteStore(options);
  await store.opened();
  return store;
}

/** The Store port on SQLite. All SQL runs in a worker thread; this side turns the port's calls into messages. */
export class SqliteStore implements Store {
  readonly #link: WorkerLink;
  readonly #callLimitMs: number;
  readonly #longCallLimitMs: number;

  constructor(options: SqliteStoreOptions) {
    this.#callLimitMs = options.callLimitMs ?? 10_000;
    this.#longCallLimitMs = options.longCallLimitMs ?? 60_000;
    this.#link = new WorkerLink({
      entry: new URL('./sqlite-worker.ts', import.meta.url),
      workerData: { directory: options.directory },
      onProjectionError: options.onProjectionError ?? (() => {}),
    });
  }

  /** The schema version, once the file is open. */
  opened(): Promise<number> {
    return this.#callLong('opened');
  }

  /** Remembers the ledger that belongs to this file, the first time; answers which one does. */
  linkLedger(ledgerId: string): Promise<LedgerLink> {
    return this.#call('linkLedger', ledgerId);
  }

  claimShards(owner: string, shardIds: readonly ShardId[]): Promise<readonly ShardEpoch[]> {
    return this.#call('claimShards', owner, shardIds);
  }

  renewShards(owner: string, shardIds: readonly ShardId[]): Promise<readonly ShardEpoch[]> {
    return this.#call('renewShards', owner, shardIds);
  }

  commit({ batchNumber, shards, rows }: JournalBatch): Promise<'committed' | 'fenced'> {
    return this.#call('commit', { batchNumber, shards, rows: toJournalColumns(rows) });
  }

  resolveCommit({ batchNumber, shards }: JournalBatch): Promise<CommitResolution> {
    return this.#call('resolveCommit', batchNumber, shards);
  }

  async loadSchedule(
    scheduleId: ScheduleId,
    { endedSinceMs, markedSinceMs }: { readonly endedSinceMs: number; readonly markedSinceMs: number },
  ): Promise<StoredSchedule> {
    const { image, tail } = await this.#callLong('loadSchedule', scheduleId, endedSinceMs, markedSinceMs);
    return { image, tail: toJournalRows(tail) };
  }

  schedulesWithOpenWork(): Promise<readonly ScheduleId[]> {
    return this.#callLong('schedulesWithOpenWork');
  }

  projectAll(): Promise<void> {
    return this.#callLong('projectAll');
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
    return this.#call('createVenue', row, mark);
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

  listVenues(): Promise<readonly VenueSummary[]> {
    return this.#call('listVenues');
  }

  async loadVenue(venueId: VenueId): Promise<VenueLayout | undefined> {
    const row = await this.#call('loadVenue', venueId);
    return row && { venueId, name: row.name, sections: JSON.parse(row.layout) };
  }

  listPerformances(): Promise<readonly Performance[]> {
    return this.#call('listPerformances');
  }

  listSchedules(): Promise<readonly (Schedule & { readonly available: number })[]> {
    return this.#call('listSchedules');
  }

  close(): Promise<void> {
    return this.#link.close(this.#longCallLimitMs);
  }

  #call<Name extends ProcedureName>(
    procedure: Name,
    ...parameters: Parameters<StoreProcedures[Name]>
  ): Promise<ProcedureResult<Name>> {
    return this.#link.call(this.#callLimitMs, procedure, ...parameters);
  }

  #callLong<Name extends ProcedureName>(
    procedure: Name,
    ...parameters: Parameters<StoreProcedures[Name]>
  ): Promise<ProcedureResult<Name>> {
    return this.#link.call(this.#longCallLimitMs, procedure, ...parameters);
  }
}
