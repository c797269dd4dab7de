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
import { resultsOf } from '../applied.ts';
import type { ExecuteBatch } from '../lane.ts';
import { LaneLedger } from '../lane-ledger.ts';
import type { LedgerObserver } from '../ledger-observer.ts';
import { ThreadPool } from '../thread-pool.ts';
import type * as Reader from './ledger-reader.ts';
import type { LedgerThreadData } from './ledger-thread.ts';
import type * as Writer from './ledger-writer.ts';

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
  const common = {
    threadData: { directory } satisfies LedgerThreadData,
    callLimitMs,
    clock,
    onFault: (fault: string, error: unknown) => observer.onFault(fault, error),
  };
  const writers = new ThreadPool<typeof Writer>({
    ...common,
    entry: new URL('./ledger-writer.ts', import.meta.url),
    work: { kind: 'synchronous', threads: lanes },
    callsMax: lanes,
  });
  let installationId: string;
  try {
    installationId = await writers.run('create', undefined, createLimitMs);
  } catch (error) {
    await writers.close();
    throw new StoreUnavailable((error as Error).message, { cause: error });
  }
  // Threads of their own, with connections that only read: no payment stops a read, and no audit a balance.
  const readers = new ThreadPool<typeof Reader>({
    ...common,
    entry: new URL('./ledger-reader.ts', import.meta.url),
    work: { kind: 'synchronous', threads: 2 },
    callsMax: readsMax,
  });
  return new SqliteLedger({
    installationId,
    writers,
    readers,
    lanes,
    operationsWaitingMax,
    clock,
    observer,
  });
}

/** A step of the schema may rewrite a table. */
const createLimitMs = 60_000;

/** Reads that run or wait. */
const readsMax = 1000;

interface SqliteLedgerParts {
  readonly installationId: string;
  readonly writers: ThreadPool<typeof Writer>;
  readonly readers: ThreadPool<typeof Reader>;
  readonly lanes: number;
  readonly operationsWaitingMax: number;
  readonly clock: Clock;
  readonly observer: LedgerObserver;
}

/** Points and payments in SQLite. All SQL runs in worker threads; this side collects the calls into batches. */
export class SqliteLedger extends LaneLedger implements PointsReader, LedgerAuditor {
  /** Random, made with the file: payment ids are unique within it and no further. */
  readonly installationId: string;
  readonly #writers: ThreadPool<typeof Writer>;
  readonly #readers: ThreadPool<typeof Reader>;
  #closing: Promise<void> | undefined;

  constructor({ installationId, writers, readers, ...laneOptions }: SqliteLedgerParts) {
    super({ ...laneOptions, execute: executeIn(writers) });
    this.installationId = installationId;
    this.#writers = writers;
    this.#readers = readers;
  }

  /** Those that write, for who measures or ends them. */
  get writerThreads(): readonly Worker[] {
    return this.#writers.threads;
  }

  /** Remembers the journal that names these payments, the first time; answers which one does. */
  linkJournal(journalId: string): Promise<string> {
    return this.#writers.run('linkJournal', journalId);
  }

  balanceOf(userId: UserId): Promise<number> {
    return this.#readers.run('balanceOf', userId);
  }

  listEntries(query: EntryQuery): Promise<EntryPage> {
    return this.#readers.run('listEntries', query);
  }

  auditSchedule(scheduleId: ScheduleId): Promise<LedgerAudit> {
    return this.#readers.run('auditSchedule', scheduleId);
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

function executeIn(writers: ThreadPool<typeof Writer>): ExecuteBatch {
  return async (operations) => resultsOf(await writers.run('apply', operations));
}
