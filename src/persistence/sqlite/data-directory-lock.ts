import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { sqliteBusy, sqliteResultCode } from '../../sqlite/database.ts';

/** The directory cannot be used by this process; the message is one line for the operator. */
export class DataDirectoryUnusable extends Error {
  override name = 'DataDirectoryUnusable';
}

export interface DataDirectoryLock {
  release(): void;
}

/**
 * Makes the directory, mode 0700, where it is missing, and takes it for this process alone: two processes on
 * one directory would sell the same seats twice.
 *
 * The lock is an exclusive transaction on a file of its own, usher.lock. It is the operating system's, so it
 * ends with the process even on kill -9, and the next start need not wait. usher.pid tells people who has it;
 * nothing relies on it.
 *
 * Throws DataDirectoryUnusable.
 */
export function lockDataDirectory(directory: string): DataDirectoryLock {
  const pidFile = join(directory, 'usher.pid');
  let db: DatabaseSync | undefined;
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    db = new DatabaseSync(join(directory, 'usher.lock'), { timeout: 0 });
    db.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
    writeFileSync(pidFile, `${process.pid}\n`);
  } catch (error) {
    db?.close();
    if (sqliteResultCode(error) === sqliteBusy) {
      throw new DataDirectoryUnusable(`the data directory ${directory} is in use by ${holderIn(pidFile)}`);
    }
    const reason = error instanceof Error ? error.message : String(error);
    throw new DataDirectoryUnusable(`the data directory ${directory} cannot be written: ${reason}`);
  }
  const held = db;
  return {
    release() {
      if (!held.isOpen) return;
      rmSync(pidFile, { force: true });
      held.close();
    },
  };
}

/** The holder writes its pid just after it has the lock, so for a moment there may be none. */
function holderIn(pidFile: string): string {
  try {
    return `process ${Number.parseInt(readFileSync(pidFile, 'utf8'), 10)}`;
  } catch {
    return 'another process';
  }
}
