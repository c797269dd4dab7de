import type { Worker } from 'node:worker_threads';
import type { ScheduleId, UserId } from '../../actors/allocator/ids.ts';
import type {
  EntryPage,
  EntryQuery,
  LedgerAudit,
  LedgerAuditor,
  PointsReader,
} from '../../actors/runtime/ledger.ts';
import { type Clock, StoreUnavailable } from '../../actors/runtime/ports.ts';
import { BatchRefused } from '../book.ts';
import type { ExecuteBatch } from '../lane.ts';
import { LaneLedger } from '../lane-ledger.ts';
import type { LedgerObserver } from '../ledger-observer.ts';
import type { Applied } from './ledger-writer.ts';
import { ThreadPool } from './thread-pool.ts';

interface SqliteLedgerOptions {
  /** Holds ledger.db; must exist and be locked by this process. */
  readonly directory: string;
  /**
   * Batches under way at the same time, each in a thread of its own. Default 1: SQLite has one writer at a
   * time, so a second lane waits for the first one's lock, and halves what a commit carries.
   */
  readonly lanes?: number;
  /** A batch or a read that takes longer fails, and its thread is replaced. Default 10 s. */
  readonly callLimitMs?: number;
  /** Calls that wait for the disk. Default 20,000: under a second of work. */
  readonly operationsWaitingMax?: number;
  readonly clock: Clock;
  readonly observer: LedgerObserver;
}

/**
 * Opens or creates ledger.db and brings its schema up to date. Rejects with StoreUnavailable, whose message is
 * for people, when the file cannot be opened or was written by a newer Usher.
 */
export async function openSqliteLedger(options: SqliteLedgerOptions): Promise<SqliteLedger> {
  const { directory, lanes = 1, callLimitMs = 10_000, operationsWaitingMax = 20_000 } = options;
  const { clock, observer } = options;
  const pool = (entry: string, threads: number, callsMax: number): ThreadPool =>
    new ThreadPool({
      entry: new URL(entry, import.meta.url),
      threads,
      threadData: { directory },
      callLimitMs,
      callsMax,
      clock,
      onFault: (fault, error) => observer.onFault(fault, error),
    });
  const writers = pool('./ledger-writer.ts', lanes, lanes);
  try {
    await writers.run('create', undefined);
  } catch (error) {
    await writers.close();
    throw new StoreUnavailable((error as Error).message, { cause: error });
  }
  return new SqliteLedger({
    writers,
    // One thread, so that an audit stops no payment; a connection that only reads, so that nothing does the other way.
    readers: pool('./ledger-reader.ts', 1, readsMax),
    lanes,
    operationsWaitingMax,
    clock,
    observer,
  });
}

/** Reads that run or wait. */
const readsMax = 1000;

interface SqliteLedgerParts {
  readonly writers: ThreadPool;
  readonly readers: ThreadPool;
  readonly lanes: number;
  readonly operationsWaitingMax: number;
  readonly clock: Clock;
  readonly observer: LedgerObserver;
}

/** Points and payments in SQLite. All SQL runs in worker threads; this side collects the calls into batches. */
export class SqliteLedger extends LaneLedger implements PointsReader, LedgerAuditor {
  readonly #writers: ThreadPool;
  readonly #readers: ThreadPool;
  #closing: Promise<void> | undefined;

  constructor({ writers, readers, ...laneOptions }: SqliteLedgerParts) {
    super({ ...laneOptions, execute: executeIn(writers) });
    this.#writers = writers;
    this.#readers = readers;
  }

  /** Those that write, for who measures or ends them. */
  get writerThreads(): readonly Worker[] {
    return this.#writers.threads;
  }

  balanceOf(userId: UserId): Promise<number> {
    return this.#readers.run('balanceOf', userId) as Promise<number>;
  }

  listEntries(query: EntryQuery): Promise<EntryPage> {
    return this.#readers.run('listEntries', query) as Promise<EntryPage>;
  }

  auditSchedule(scheduleId: ScheduleId): Promise<LedgerAudit> {
    return this.#readers.run('auditSchedule', scheduleId) as Promise<LedgerAudit>;
  }

  override close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await super.close();
    // The last connection takes the WAL back into the file, and only one that writes can.
    await this.#readers.close();
    await this.#writers.close();
  }
}

function executeIn(writers: ThreadPool): ExecuteBatch {
  return async (operations) => {
    const applied = (await writers.run('apply', operations)) as Applied;
    if (applied.kind === 'refused') throw new BatchRefused(applied.message);
    return applied.results;
  };
}
