import type { Duplex } from 'node:stream';
import { type Connection, createConnection, type ResultSetHeader } from 'mysql2';
import { faultOf, MySqlFault } from './mysql-fault.ts';
import { connectionOptions, type MySqlOptions } from './mysql-options.ts';

/** What is told of statements. */
export interface StatementObserver {
  /** `statement` is its text with placeholders, never its values. */
  onSlowStatement(statement: string, durationMs: number): void;
}

export interface SessionOptions extends MySqlOptions {
  readonly observer: StatementObserver;
  /** More than one statement in a text: for the few that save a round trip with it. Default false. */
  readonly multipleStatements?: boolean;
}

/** What a statement that changes rows answers. */
export interface Changed {
  /** Rows that matched, changed or not. */
  readonly affectedRows: number;
  readonly insertId: number;
}

/** How long the server leaves a connection open on which nothing is asked. */
export const idleSecondsMax = 86_400;

/**
 * Set on every connection: READ COMMITTED, because a fenced UPDATE is a current read there and holds no row that
 * it did not match; strict, so that no value is ever cut to fit; a wait for a row ends well within a statement's
 * limit; the server's own time limits do not end an idle connection for a day.
 */
const sessionSetup = `SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,ERROR_FOR_DIVISION_BY_ZERO',
  SESSION transaction_isolation = 'READ-COMMITTED', SESSION innodb_lock_wait_timeout = 2,
  SESSION wait_timeout = ${idleSecondsMax}, SESSION time_zone = '+00:00', SESSION autocommit = 1`;

/** The same in words of before MariaDB 11.1, which knows the isolation level by its old name. */
const olderSessionSetup = sessionSetup.replace('transaction_isolation', 'tx_isolation');

const unknownVariable = 1193;

/**
 * One connection, one statement at a time in the order of the calls. Everything rejects with MySqlFault. A
 * statement that passes its limit costs the connection, because nobody knows when it would be in step again; so
 * does any fault of the connection itself. Nothing is ever sent again here.
 */
export class MySqlSession {
  readonly #connection: Connection;
  readonly #options: SessionOptions;
  /** Of the statements that have no answer yet. */
  readonly #rejections = new Set<(fault: MySqlFault) => void>();
  #isOpen = true;

  private constructor(connection: Connection, options: SessionOptions) {
    this.#connection = connection;
    this.#options = options;
    // Of an idle connection that is lost: the next statement finds out.
    connection.on('error', () => this.destroy());
  }

  static async open(options: SessionOptions): Promise<MySqlSession> {
    const connection = createConnection({
      ...connectionOptions(options),
      multipleStatements: options.multipleStatements ?? false,
    });
    const session = new MySqlSession(connection, options);
    try {
      await session.#connect();
      await session.#setUp();
      return session;
    } catch (error) {
      session.destroy();
      throw faultOf(error, 'connect');
    }
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** The server's name for this connection. */
  get connectionId(): number {
    return this.#connection.threadId;
  }

  /** Rows as arrays in the order of the columns. */
  async rows<Row extends readonly unknown[]>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    return (await this.#run(sql, sql, values)) as Row[];
  }

  async change(sql: string, values: readonly unknown[] = []): Promise<Changed> {
    return (await this.#run(sql, sql, values)) as ResultSetHeader;
  }

  /**
   * A text that is complete, its values written by sql-values.ts. `statement` stands for it in logs.
   * @returns what mysql2 answers: a header, or an array of them for more than one statement.
   */
  async raw(statement: string, sql: string): Promise<unknown> {
    return await this.#run(statement, sql, undefined);
  }

  /**
   * Runs `work` in a transaction and commits it. Whatever `work` throws rolls back, and is thrown on; a rollback
   * that fails costs the connection, which rolls back as well. An error of COMMIT itself is thrown as
   * CommitFault: it may have taken effect.
   */
  async transaction<T>(work: () => Promise<T>): Promise<T> {
    await this.change('START TRANSACTION');
    let result: T;
    try {
      result = await work();
    } catch (error) {
      await this.rollback();
      throw error;
    }
    await this.commit();
    return result;
  }

  /** Throws CommitFault. */
  async commit(): Promise<void> {
    try {
      await this.change('COMMIT');
    } catch (error) {
      this.destroy();
      throw new CommitFault(`COMMIT has no sure outcome: ${(error as Error).message}`, { cause: error });
    }
  }

  /** Never throws. */
  async rollback(): Promise<void> {
    if (!this.#isOpen) return;
    await this.change('ROLLBACK').catch(() => this.destroy());
  }

  /**
   * At once, without a word to the server: it rolls back what was open when it notices. Statements without an
   * answer are rejected.
   */
  destroy(): void {
    this.#isOpen = false;
    this.#connection.destroy();
    // mysql2 ends its side and waits for the other one: a server that is frozen, or a network that has gone quiet,
    // would keep the socket, and with it the thread, for ever.
    (this.#connection as unknown as { readonly stream: Duplex }).stream.destroy();
    for (const reject of this.#rejections) reject(closed());
  }

  /** After the statements that were called before. */
  async end(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, endLimitMs);
    this.#connection.end(() => resolve());
    await promise;
    clearTimeout(timer);
    this.destroy();
  }

  #connect(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#connection.connect((error) => (error === null ? resolve() : reject(error)));
    return promise;
  }

  async #setUp(): Promise<void> {
    try {
      await this.change(sessionSetup);
    } catch (error) {
      if (!(error instanceof MySqlFault) || error.errno !== unknownVariable) throw error;
      await this.change(olderSessionSetup);
    }
  }

  async #run(statement: string, sql: string, values: readonly unknown[] | undefined): Promise<unknown> {
    if (!this.#isOpen) throw closed();
    const { statementLimitMs, slowStatementMs, observer } = this.#options;
    const startedMs = performance.now();
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#rejections.add(reject);
    const timer = setTimeout(() => {
      const message = `MySQL did not answer within ${statementLimitMs} ms [${statement}]`;
      reject(new MySqlFault('reconnect', message, {}));
      this.destroy();
    }, statementLimitMs);
    this.#connection.query({ sql, ...(values && { values: [...values] }) }, (error, result) => {
      if (error === null) return resolve(result);
      const fault = faultOf(error, statement);
      reject(fault);
      if (fault.endsConnection) this.destroy();
    });
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#rejections.delete(reject);
      const durationMs = performance.now() - startedMs;
      if (durationMs >= slowStatementMs) observer.onSlowStatement(statement, durationMs);
    }
  }
}

/** COMMIT was sent, and its outcome is not known. */
export class CommitFault extends Error {
  override name = 'CommitFault';
}

const endLimitMs = 1_000;

const closed = () => new MySqlFault('reconnect', 'the connection to MySQL is closed', {});
