import type { Worker } from 'node:worker_threads';
import { assert } from '../../actors/allocator/assert.ts';
import type { ScheduleId, UserId } from '../../actors/allocator/ids.ts';
import type {
  EntryPage,
  EntryQuery,
  LedgerAudit,
  LedgerAuditor,
  PointsReader,
} from '../../actors/runtime/ledger.ts';
import { type Clock, StoreUnavailable } from '../../actors/runtime/ports.ts';
import { installationOf } from '../../mysql/installation.ts';
import type { MySqlOptions } from '../../mysql/mysql-options.ts';
import { migrateSchema } from '../../mysql/schema.ts';
import { requireUsableServer } from '../../mysql/server-check.ts';
import { MySqlSession, type StatementObserver } from '../../mysql/session.ts';
import type { SessionPoolStats } from '../../mysql/session-pool.ts';
import { resultsOf } from '../applied.ts';
import { LaneLedger } from '../lane-ledger.ts';
import type { LedgerObserver } from '../ledger-observer.ts';
import { ThreadPool } from '../thread-pool.ts';
import type * as LaneThread from './lane-thread.ts';
import type { LaneThreadData, SlowStatement } from './lane-thread-data.ts';
import { ledgerSchema } from './ledger-schema.ts';
import { MySqlAuditor } from './mysql-auditor.ts';
import { MySqlPointsReader } from './mysql-points-reader.ts';
import { ReadPool } from './read-pool.ts';

interface MySqlLedgerOptions {
  readonly mysql: MySqlOptions;
  /** A replica, for what people browse; otherwise reached as the primary is. Default: the primary has all reads. */
  readonly readUrl?: string;
  /** This run of the process: names the connections that hold rows (named-session.ts). */
  readonly holder: string;
  /**
   * Batches under way at the same time, each on a connection of its own; 1 to 4. Default 1: it makes the largest
   * batches, so the fewest commits. Measured, below some 30,000 payments/s four of them answer no sooner, on a
   * network of 0 to 3 ms, and cost up to twice the CPU a payment; above that they carry half as much again.
   */
  readonly lanes?: number;
  /**
   * Each of a batch's statements has its limit in `mysql`; a batch that takes longer than this has a thread that
   * stands still, which is replaced. Default: both of its trips, and 5 s for a connection.
   */
  readonly callLimitMs?: number;
  /** Calls that wait for the database. Default 20,000: some seconds of work. */
  readonly operationsWaitingMax?: number;
  /** Connections for reads, to each of the two servers. */
  readonly poolMax: number;
  readonly clock: Clock;
  readonly observer: LedgerObserver;
  readonly onSlowStatement: StatementObserver['onSlowStatement'];
}

/**
 * More of them hold their users' accounts for longer and gain nothing. From 1,000 on, MariaDB turns a list of keys
 * into a join, and its own order (in_predicate_conversion_threshold).
 */
const operationsPerBatchMax = 500;

/** As many as connections have names (named-session.ts). */
const lanesMax = 4;
const lanesByDefault = 1;

/** Callers that wait for a connection to read on. */
const readsWaitingMax = 1000;

/** A replica is asked first, and has a person waiting behind it whom the primary would answer. */
const replicaLimitMs = 1_000;

const auditLimitMs = 60_000;

/**
 * Connects, and brings the ledger's tables up to date. Rejects with StoreUnavailable, whose message is for people,
 * when the server can't be reached or used, or its tables were made by a newer Usher.
 */
export async function openMySqlLedger(options: MySqlLedgerOptions): Promise<MySqlLedger> {
  const { lanes = lanesByDefault } = options;
  assert(lanes >= 1 && lanes <= lanesMax, `a ledger in MySQL has 1 to ${lanesMax} lanes`);
  try {
    return new MySqlLedger(options, await prepareDatabase(options));
  } catch (error) {
    throw new StoreUnavailable(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

/** @returns the installation's id. */
async function prepareDatabase({ mysql, onSlowStatement }: MySqlLedgerOptions): Promise<string> {
  // A step of the schema may rewrite a table.
  const session = await MySqlSession.open({
    ...mysql,
    statementLimitMs: schemaStatementLimitMs,
    observer: { onSlowStatement },
  });
  try {
    await requireUsableServer(session);
    await migrateSchema(session, ledgerSchema);
    return await installationOf(session);
  } finally {
    await session.end();
  }
}

const schemaStatementLimitMs = 10 * 60_000;

/** What a ledger in MySQL counts besides what its observer is told. */
interface MySqlLedgerStats {
  readonly pools: readonly SessionPoolStats[];
  readonly slowStatements: number;
}

/**
 * Points and payments in MySQL. What writes runs in a worker thread, which has all lanes: it waits for the server
 * most of the time. Measured, a thread for each of four lanes took 30 % more worker CPU at 450 payments a batch and
 * 50 % more at 15. Reads are one small query each, 20 to 27 µs, and run in this thread: a hop to another one costs
 * more than they do.
 */
export class MySqlLedger extends LaneLedger implements PointsReader, LedgerAuditor {
  /** Random, made with the database: payment ids are unique within it and no further. */
  readonly installationId: string;
  readonly #thread: ThreadPool<typeof LaneThread>;
  readonly #reader: MySqlPointsReader;
  readonly #auditor: MySqlAuditor;
  readonly #pools: readonly ReadPool[];
  readonly #slowStatements: { count: number };
  #closing: Promise<void> | undefined;

  constructor(options: MySqlLedgerOptions, installationId: string) {
    const { mysql, holder, lanes = lanesByDefault, operationsWaitingMax = 20_000, clock, observer } = options;
    const { callLimitMs = 2 * mysql.statementLimitMs + 5_000 } = options;
    const slowStatements = { count: 0 };
    const onSlowStatement = (statement: string, durationMs: number) => {
      slowStatements.count += 1;
      options.onSlowStatement(statement, durationMs);
    };
    const thread = new ThreadPool<typeof LaneThread>({
      entry: new URL('./lane-thread.ts', import.meta.url),
      work: { kind: 'asynchronous', callsAtOnce: lanes },
      threadData: { mysql, holder } satisfies LaneThreadData,
      callLimitMs,
      callsMax: lanes + 1,
      clock,
      onFault: (fault, error) => observer.onFault(fault, error),
      onMessage: (message) => {
        const { statement, durationMs } = message as SlowStatement;
        onSlowStatement(statement, durationMs);
      },
    });
    super({
      execute: async (operations, lane) => resultsOf(await thread.run('apply', { lane, operations })),
      lanes,
      operationsWaitingMax,
      operationsPerBatchMax,
      clock,
      observer,
    });
    this.installationId = installationId;
    this.#slowStatements = slowStatements;
    this.#thread = thread;
    const pool = (name: string, connectionsMax: number, server: MySqlOptions, waitLimitMs: number) =>
      new ReadPool({
        name,
        session: { ...server, observer: { onSlowStatement } },
        connectionsMax,
        waitingMax: readsWaitingMax,
        waitLimitMs,
      });
    const primary = pool('ledger', options.poolMax, mysql, mysql.statementLimitMs);
    const replica =
      options.readUrl === undefined
        ? undefined
        : pool('ledger-replica', options.poolMax, replicaOf(mysql, options.readUrl), replicaLimitMs);
    // Of its own: an audit keeps its connection for seconds.
    const audit = pool('ledger-audit', 1, mysql, auditLimitMs);
    this.#reader = new MySqlPointsReader({ primary, replica, clock });
    this.#auditor = new MySqlAuditor({ primary: audit, auditLimitMs, clock });
    this.#pools = [primary, audit, ...(replica === undefined ? [] : [replica])];
  }

  /** The one that writes, for who measures or ends it; empty while it is replaced. */
  get writerThreads(): readonly Worker[] {
    return this.#thread.threads;
  }

  stats(): MySqlLedgerStats {
    return { pools: this.#pools.map((pool) => pool.stats()), slowStatements: this.#slowStatements.count };
  }

  /** Journal and ledger lie in one database: they belong together always, under its name. */
  async linkJournal(_journalId: string): Promise<string> {
    return this.installationId;
  }

  balanceOf(userId: UserId): Promise<number> {
    return this.#reader.balanceOf(userId);
  }

  listEntries(query: EntryQuery): Promise<EntryPage> {
    return this.#reader.listEntries(query);
  }

  auditSchedule(scheduleId: ScheduleId): Promise<LedgerAudit> {
    return this.#auditor.auditSchedule(scheduleId);
  }

  override close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await super.close();
    await Promise.all(this.#pools.map((pool) => pool.close()));
    // So that the server hears of the end; where it can't be told, it finds out.
    await this.#thread.run('end', undefined).catch(() => {});
    await this.#thread.close();
  }
}

const replicaOf = (mysql: MySqlOptions, url: string): MySqlOptions => ({
  ...mysql,
  url,
  statementLimitMs: Math.min(mysql.statementLimitMs, replicaLimitMs),
});
