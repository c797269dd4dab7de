import { MySqlFault } from './mysql-fault.ts';
import type { MySqlSession } from './session.ts';

/**
 * One step of a schema. Data definition commits by itself, so a step may be cut off in its middle: each of its
 * statements can be run again (IF NOT EXISTS, INSERT IGNORE).
 *
 * Steps expand (a new table, a new column with a default, a new index), so that the version before goes on
 * working beside the new one; what nobody needs any more is dropped a release later, in a step that `contracts`:
 * versions that do not know that step are refused from then on.
 */
export interface SchemaStep {
  readonly statements: readonly string[];
  readonly contracts?: true;
}

/** The tables of one part of Usher. A step that was released is never edited; a change is a new step. */
export interface Schema {
  readonly part: string;
  readonly steps: readonly SchemaStep[];
}

/**
 * Brings the part up to date, one process at a time. Rejects with MySqlFault when the database was changed by a
 * newer Usher so that this one can't work with it.
 * @param session whose statements may take long: it waits for another process, and a step may rewrite a table.
 * @returns the version that the database is at now: this one's, or a newer one's.
 */
export async function migrateSchema(session: MySqlSession, { part, steps }: Schema): Promise<number> {
  const [lock] = await session.rows<[number | null]>(`SELECT GET_LOCK(${lockName}, ${lockWaitSeconds})`);
  if (lock?.[0] !== 1) {
    throw new MySqlFault('unavailable', 'another process has been changing the schema for too long', {});
  }
  try {
    await session.change(createVersions);
    const [row] = await session.rows<[version: number, oldest: number]>(
      'SELECT version, oldest_working_version FROM schema_version WHERE part = ?',
      [part],
    );
    const [version, oldestWorking] = row ?? [0, 0];
    if (oldestWorking > steps.length) throw tooNew(part, oldestWorking, steps.length);
    for (let step = version; step < steps.length; step++) await takeStep(session, part, steps, step);
    return Math.max(version, steps.length);
  } finally {
    await session.rows(`SELECT RELEASE_LOCK(${lockName})`).catch(() => {});
  }
}

/** A name has at most 64 characters, and so has a database alone. */
const lockName = "CONCAT('usher.schema.', MD5(DATABASE()))";

const lockWaitSeconds = 30;

const createVersions = `CREATE TABLE IF NOT EXISTS schema_version (
  part                   VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
  version                INT NOT NULL,
  oldest_working_version INT NOT NULL
) ENGINE = InnoDB`;

async function takeStep(
  session: MySqlSession,
  part: string,
  steps: readonly SchemaStep[],
  step: number,
): Promise<void> {
  const { statements, contracts } = steps[step]!;
  const version = step + 1;
  const oldest = contracts === true ? version : 0;
  // First, so that an older process that starts meanwhile is refused before its table is gone.
  if (oldest > 0) await writeVersion(session, part, step, oldest);
  for (const statement of statements) await session.change(statement);
  await writeVersion(session, part, version, oldest);
}

async function writeVersion(
  session: MySqlSession,
  part: string,
  version: number,
  oldest: number,
): Promise<void> {
  await session.change(
    `INSERT INTO schema_version (part, version, oldest_working_version) VALUES (?, ?, ?)
     ON DUPLICATE KEY UPDATE version = VALUES(version),
       oldest_working_version = GREATEST(oldest_working_version, VALUES(oldest_working_version))`,
    [part, version, oldest],
  );
}

const tooNew = (part: string, oldest: number, known: number): MySqlFault =>
  new MySqlFault(
    'unavailable',
    `the database needs an Usher that knows version ${oldest} of the ${part} schema; this one knows ${known}. Run the newer release, or restore the backup from before it`,
    {},
  );
