import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { migrations } from '../../../../src/persistence/sqlite/migrations.ts';
import { migrate, schemaVersion } from '../../../../src/sqlite/migrate.ts';

describe('the steps of the store', () => {
  it('make a schema that is STRICT throughout', () => {
    const db = new DatabaseSync(':memory:');
    migrate(db, migrations);
    expect(schemaVersion(db)).toBe(migrations.length);
    const tables = db
      .prepare(
        "SELECT name, strict FROM pragma_table_list WHERE schema = 'main' AND name NOT LIKE 'sqlite_%'",
      )
      .all();
    expect(tables.length).toBe(12);
    for (const table of tables) expect(table).toMatchObject({ strict: 1 });
    db.close();
  });
});
