import { randomBytes } from 'node:crypto';
import type { SchemaStep } from './schema.ts';
import type { MySqlSession } from './session.ts';

/**
 * The database's own name, made once. Journal and ledger lie in one database, so they are always a pair; the name
 * keeps payments of two installations apart at a card gateway. Part of every schema's first step.
 */
export const installationStep: SchemaStep['statements'] = [
  `CREATE TABLE IF NOT EXISTS installation (
     id       CHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
     only_row TINYINT NOT NULL DEFAULT 1,
     UNIQUE KEY one_row (only_row)
   ) ENGINE = InnoDB`,
];

export async function installationOf(session: MySqlSession): Promise<string> {
  await session.change('INSERT IGNORE INTO installation (id) VALUES (?)', [randomBytes(8).toString('hex')]);
  const [row] = await session.rows<[string]>('SELECT id FROM installation');
  return row![0];
}
