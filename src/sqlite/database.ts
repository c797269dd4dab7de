import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/**
 * Opens or creates a database file of the node's own. WAL, so that others can read while one writes. Throws an
 * Error that names the file.
 */
export function openDatabase(directory: string, fileName: string): DatabaseSync {
  return open(join(directory, fileName), false, (db) =>
    db.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA cache_size = -${pageCacheKibMax};
      PRAGMA wal_autocheckpoint = ${walPagesMax};
    `),
  );
}

/**
 * A connection that only reads, to a file that openDatabase has made: it never waits for the one that writes,
 * nor holds it up. Throws an Error that names the file.
 */
export function openForReading(directory: string, fileName: string): DatabaseSync {
  return open(join(directory, fileName), true, (db) => db.exec(`PRAGMA cache_size = -${pageCacheKibMax}`));
}

function open(path: string, readOnly: boolean, prepare: (db: DatabaseSync) => void): DatabaseSync {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path, { timeout: busyWaitMsMax, readOnly });
    // The WAL beside it gets the same mode.
    if (!readOnly) chmodSync(path, 0o600);
    prepare(db);
    return db;
  } catch (error) {
    db?.close();
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`cannot open ${path}: ${reason}`, { cause: error });
  }
}

/** How long a write waits for a lock that somebody's shell holds. Well under the time limit of a call. */
const busyWaitMsMax = 1000;

/** For the index by user, which is written at random places. More than 16 MiB gained nothing measurable. */
const pageCacheKibMax = 16_384;

/**
 * 16 MiB. A checkpoint stops the worker for 20 to 40 ms, mostly for its fsync, whether it moves 1,000 pages
 * (SQLite's default) or 4,000; with more of them it only grows longer.
 */
const walPagesMax = 4000;

/** SQLite's primary result code of an error (https://www.sqlite.org/rescode.html); undefined for any other error. */
export function sqliteResultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number')
    return undefined;
  return error.errcode & 0xff;
}

export const sqliteBusy = 5;
export const sqliteConstraint = 19;
