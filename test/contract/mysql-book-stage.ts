import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise';
import { afterEach, beforeEach } from 'vitest';
import { ledgerSchema } from '../../src/ledger/mysql/ledger-schema.ts';
import { bookSessionSetup, MySqlBook } from '../../src/ledger/mysql/mysql-book.ts';
import type { ReadPool } from '../../src/ledger/mysql/read-pool.ts';
import { migrateSchema } from '../../src/mysql/schema.ts';
import { MySqlSession } from '../../src/mysql/session.ts';
import { sharedMariaDb } from '../servers/shared-servers.ts';
import { mysqlAt } from './mysql-connection.ts';

interface MySqlBookStage {
  /** On a connection of its own; `newBook` gives others, as other lanes and nodes are. */
  readonly book: MySqlBook;
  readonly session: MySqlSession;
  newBook(): Promise<MySqlBook>;
  /** For readers: on the connection of `book`. */
  readonly reads: Pick<ReadPool, 'use'>;
  /** Of somebody else's, who is not held back by what the driver of the books may not do. */
  readonly shell: Connection;
  /** By the shell. */
  query(sql: string, values?: readonly unknown[]): Promise<RowDataPacket[]>;
  /** Of the first column. */
  column(sql: string, values?: readonly unknown[]): Promise<unknown[]>;
}

/** Fresh tables in the shared server for each test of the suite that calls this. */
export function useMySqlBook(): MySqlBookStage {
  let url: string;
  let sessions: MySqlSession[];
  let book: MySqlBook;
  let shell: Connection;

  const open = async () => {
    const observer = { onSlowStatement: () => {} };
    const session = await MySqlSession.open({ ...mysqlAt(url), multipleStatements: true, observer });
    sessions.push(session);
    await session.change(bookSessionSetup);
    return session;
  };

  beforeEach(async () => {
    url = await sharedMariaDb().createDatabase();
    sessions = [];
    const session = await open();
    await migrateSchema(session, ledgerSchema);
    book = new MySqlBook(session);
    shell = await createConnection(url);
    await shell.query('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED');
  });
  afterEach(async () => {
    await Promise.all(sessions.map((session) => session.end()));
    shell.destroy();
    await sharedMariaDb().dropDatabase(url);
  });

  const query = async (sql: string, values: readonly unknown[] = []) =>
    (await shell.query<RowDataPacket[]>(sql, [...values]))[0];
  return {
    get book() {
      return book;
    },
    get session() {
      return sessions[0]!;
    },
    reads: { use: (read) => read(sessions[0]!) },
    newBook: async () => new MySqlBook(await open()),
    get shell() {
      return shell;
    },
    query,
    column: async (sql, values) => (await query(sql, values)).map((row) => Object.values(row)[0]),
  };
}
