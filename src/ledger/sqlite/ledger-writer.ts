import type { DatabaseSync } from 'node:sqlite';
import { workerData } from 'node:worker_threads';
import { openDatabase } from '../../sqlite/database.ts';
import { migrate } from '../../sqlite/migrate.ts';
import { Transactions } from '../../sqlite/transactions.ts';
import { queryRow } from '../../sqlite/typed-rows.ts';
import type { Applied } from '../applied.ts';
import { BatchRefused } from '../book.ts';
import type { LedgerOperation } from '../operation.ts';
import { ledgerMigrations } from './ledger-migrations.ts';
import { type LedgerThreadData, ledgerFile } from './ledger-thread.ts';
import { SqliteBook } from './sqlite-book.ts';

/**
 * The procedures of a thread that writes ledger.db; the pool calls them by name. Everything in them is
 * synchronous. The file is opened by the first call and not by loading this module, so that a file that can't
 * be opened is an answer and not a thread that dies.
 */
const { directory } = workerData as LedgerThreadData;
let opened: { readonly db: DatabaseSync; readonly book: SqliteBook } | undefined;

/** Makes the file and its tables, and answers the installation's id. By one thread, before any other call. */
export function create(): string {
  const db = openDatabase(directory, ledgerFile);
  try {
    migrate(db, ledgerMigrations);
    const [id] = queryRow<[string]>(db.prepare('SELECT id FROM installation', { returnArrays: true }))!;
    return id;
  } finally {
    db.close();
  }
}

/** Remembers the journal that these payments belong to, the first time; answers which one does. */
export function linkJournal(journalId: string): string {
  const db = openDatabase(directory, ledgerFile);
  try {
    return new Transactions(db).durable(() => {
      db.prepare('UPDATE installation SET journal_id = ? WHERE journal_id IS NULL').run(journalId);
      const read = db.prepare('SELECT journal_id FROM installation', { returnArrays: true });
      return queryRow<[string]>(read)![0];
    });
  } finally {
    db.close();
  }
}

export function apply(operations: readonly LedgerOperation[]): Applied {
  try {
    return { kind: 'applied', results: book().apply(operations) };
  } catch (error) {
    if (error instanceof BatchRefused) return { kind: 'refused', message: error.message };
    // After an error from below, nothing is known of this connection.
    opened?.db.close();
    opened = undefined;
    throw error;
  }
}

/** For ThreadPool. */
export function wake(): void {}

function book(): SqliteBook {
  if (opened === undefined) {
    const db = openDatabase(directory, ledgerFile);
    opened = { db, book: new SqliteBook(db) };
  }
  return opened.book;
}
