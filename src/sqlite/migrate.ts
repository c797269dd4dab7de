import type { DatabaseSync } from 'node:sqlite';
import { queryRow } from './typed-rows.ts';

/** The file was written by a newer Usher; nothing in it was touched. */
export class SchemaTooNew extends Error {
  override name = 'SchemaTooNew';
}

/**
 * Brings the file to the newest version, a transaction a step: step i leads from version i to i + 1, and the
 * file's version is its PRAGMA user_version. By one connection at a time. Throws SchemaTooNew.
 */
export function migrate(db: DatabaseSync, steps: readonly string[]): void {
  const version = schemaVersion(db);
  if (version > steps.length) {
    throw new SchemaTooNew(
      `${db.location()} has schema version ${version}, written by a newer Usher; this one knows versions up to ${steps.length}`,
    );
  }
  for (let next = version; next < steps.length; next++) {
    db.exec('BEGIN IMMEDIATE');
    try {
      db.exec(steps[next]!);
      db.exec(`PRAGMA user_version = ${next + 1}`);
      db.exec('COMMIT');
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK');
      throw error;
    }
  }
}

export function schemaVersion(db: DatabaseSync): number {
  const [version] = queryRow<[number]>(db.prepare('PRAGMA user_version', { returnArrays: true }))!;
  return version;
}
