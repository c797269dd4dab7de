import { randomUUID } from 'node:crypto';
import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise';
import { MysqlCuttingProxy } from '../../scripts/servers/mysql-cutting-proxy.ts';
import {
  type CommitResolution,
  type JournalBatch,
  type JournalRow,
  type ShardEpoch,
  StoreUnavailable,
} from '../../src/actors/runtime/ports.ts';
import type { MySqlOptions } from '../../src/mysql/mysql-options.ts';
import { openMySqlStore } from '../../src/persistence/mysql/mysql-store.ts';
import type { StoreNotice } from '../../src/persistence/worker/store-procedures.ts';
import type { WorkerStore } from '../../src/persistence/worker/worker-store.ts';
import { sharedMariaDb } from '../servers/shared-servers.ts';
import { mysqlOptions } from './mysql-harness.ts';
import type { ScheduleJournal } from './schedule-journal.ts';
import { batchOf, shardIds } from './store-harness.ts';

interface OpenOptions {
  readonly holder?: string;
  readonly primary?: Partial<MySqlOptions>;
  readonly replica?: MySqlOptions;
  readonly patienceMs?: number;
  readonly poolMax?: number;
}

/** What became of a call, and after how long. */
export interface Outcome {
  readonly said: unknown;
  readonly message: string;
  readonly tookMs: number;
}

export async function outcomeOf(call: Promise<unknown>): Promise<Outcome> {
  const startedMs = performance.now();
  const result = await call.then(
    (said) => ({ said, message: '' }),
    (error: Error) => ({ said: error.name, message: error.message }),
  );
  return { ...result, tookMs: performance.now() - startedMs };
}

/** One run of a process: its store, which owns the shards that it claims, and what it told. */
export class StoreRun {
  readonly store: WorkerStore;
  readonly holder: string;
  readonly notices: readonly StoreNotice[];
  #shards: readonly ShardEpoch[] = [];
  #batchNumber = 0;

  private constructor(store: WorkerStore, holder: string, notices: readonly StoreNotice[]) {
    this.store = store;
    this.holder = holder;
    this.notices = notices;
  }

  static async open(url: string, options: OpenOptions = {}): Promise<StoreRun> {
    const { holder = `test/${randomUUID()}`, patienceMs } = options;
    const notices: StoreNotice[] = [];
    const store = await openMySqlStore({
      primary: { ...mysqlOptions(url), ...options.primary },
      replica: options.replica,
      holder,
      poolMax: options.poolMax ?? 4,
      ...(patienceMs !== undefined && { patienceMs }),
      onNotice: (notice) => notices.push(notice),
    });
    return new StoreRun(store, holder, notices);
  }

  /** What was told, but for statements that were slow: the machine may be busy. */
  get troubles(): readonly StoreNotice[] {
    return this.notices.filter(({ kind }) => kind !== 'slow-statement');
  }

  async claim(...ids: number[]): Promise<void> {
    this.adopt(await this.store.claimShards(this.holder, shardIds(...ids)));
  }

  adopt(shards: readonly ShardEpoch[]): void {
    this.#shards = shards;
  }

  /** The next batch, under the epochs that we believe to have. */
  batch(rows: readonly JournalRow[]): JournalBatch {
    this.#batchNumber += 1;
    const used = new Set(rows.map(({ shardId }) => shardId));
    return batchOf(
      this.#batchNumber,
      this.#shards.filter(({ shardId }) => used.has(shardId)),
      rows,
    );
  }

  /** The same batch under the epochs of now. */
  again({ batchNumber, rows }: JournalBatch): JournalBatch {
    this.#batchNumber = batchNumber - 1;
    return this.batch(rows);
  }

  /**
   * As a node commits: a COMMIT of unknown outcome is settled, and the batch goes again if it is not there. An
   * unavailable store is asked again.
   * @returns how often a COMMIT had no answer.
   */
  async commitSurely(...journals: ScheduleJournal[]): Promise<number> {
    let batch = this.batch(journals.flatMap((journal) => journal.newRows()));
    for (let unknown = 0; ; ) {
      const { said, message } = await outcomeOf(this.store.commit(batch));
      if (said === 'committed') return unknown;
      if (said === 'StoreUnavailable') continue;
      if (said !== 'CommitOutcomeUnknown') throw new Error(`a batch was ${said}: ${message}`);
      unknown += 1;
      const resolution = await this.#settle(batch);
      if (resolution.outcome === 'fenced') throw new Error('a shard was lost');
      this.adopt(
        this.#shards.map(
          (shard) => resolution.shards.find(({ shardId }) => shardId === shard.shardId) ?? shard,
        ),
      );
      if (resolution.outcome === 'committed') return unknown;
      batch = this.again(batch);
    }
  }

  async #settle(batch: JournalBatch): Promise<CommitResolution> {
    for (;;) {
      try {
        return await this.store.resolveCommit(batch);
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) throw error;
      }
    }
  }

  commitNew(...journals: ScheduleJournal[]): Promise<'committed' | 'fenced'> {
    return this.store.commit(this.batch(journals.flatMap((journal) => journal.newRows())));
  }
}

/** A database on the shared server, a way to it that can be cut, and somebody who looks into it meanwhile. */
export class MySqlStage {
  readonly url: string;
  readonly proxy: MysqlCuttingProxy;
  readonly shell: Connection;
  readonly #stores: WorkerStore[] = [];

  private constructor(url: string, proxy: MysqlCuttingProxy, shell: Connection) {
    this.url = url;
    this.proxy = proxy;
    this.shell = shell;
  }

  static async open(): Promise<MySqlStage> {
    const url = await sharedMariaDb().createDatabase();
    return new MySqlStage(url, await MysqlCuttingProxy.start(url), await createConnection(url));
  }

  /** By way of the proxy. */
  async run(options: OpenOptions = {}): Promise<StoreRun> {
    return this.#kept(await StoreRun.open(this.proxy.url, options));
  }

  /** Straight to the server. */
  async otherRun(options: OpenOptions = {}): Promise<StoreRun> {
    return this.#kept(await StoreRun.open(this.url, options));
  }

  async rows(sql: string): Promise<unknown[][]> {
    return rowsOf(this.shell, sql);
  }

  /** Ends all connections to this database but the shell's: what they had open is rolled back. */
  async killConnections(): Promise<void> {
    const database = new URL(this.url).pathname.slice(1);
    for (const [id, , , db] of await this.rows('SHOW PROCESSLIST')) {
      if (db !== database || id === this.shell.threadId) continue;
      // It may have gone by itself.
      await this.shell.query(`KILL ${id}`).catch(() => {});
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.proxy.hang(false);
    await this.proxy.refuseConnections(false);
    this.shell.destroy();
    await Promise.all(this.#stores.map((store) => store.close()));
    await this.proxy.stop();
    await sharedMariaDb().dropDatabase(this.url);
  }

  #kept(run: StoreRun): StoreRun {
    this.#stores.push(run.store);
    return run;
  }
}

export async function rowsOf(connection: Connection, sql: string): Promise<unknown[][]> {
  const [rows] = await connection.query<RowDataPacket[][]>({ sql, rowsAsArray: true });
  return rows;
}
