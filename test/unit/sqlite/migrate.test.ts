import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { migrate, SchemaTooNew, schemaVersion } from '../../../src/sqlite/migrate.ts';

const steps = ['CREATE TABLE a (x)', 'INSERT INTO a VALUES (1)', 'ALTER TABLE a ADD COLUMN y'];

describe('migrate', () => {
  let db: DatabaseSync;

  beforeEach(() => {
    db = new DatabaseSync(':memory:');
  });
  afterEach(() => db.close());

  const rows = () =>
    db
      .prepare('SELECT * FROM a')
      .all()
      .map((row) => ({ ...row }));

  it('applies every step of a new file, and none twice', () => {
    migrate(db, steps);
    migrate(db, steps);
    expect(schemaVersion(db)).toBe(3);
    expect(rows()).toEqual([{ x: 1, y: null }]);
  });

  it('goes on where an older version stopped', () => {
    migrate(db, steps.slice(0, 2));
    db.exec('UPDATE a SET x = 2');
    migrate(db, steps);
    expect(rows()).toEqual([{ x: 2, y: null }]);
  });

  it('keeps the steps before one that fails, and nothing of that one', () => {
    expect(() =>
      migrate(db, [...steps, 'INSERT INTO a VALUES (5, 5); INSERT INTO missing VALUES (1)']),
    ).toThrow(/missing/);
    expect(schemaVersion(db)).toBe(3);
    expect(rows()).toEqual([{ x: 1, y: null }]);
    expect(db.isTransaction).toBe(false);
  });

  it('refuses a newer file, naming both versions, and leaves it alone', () => {
    migrate(db, steps);
    expect(() => migrate(db, steps.slice(0, 1))).toThrow(SchemaTooNew);
    expect(() => migrate(db, steps.slice(0, 1))).toThrow(/version 3, .* up to 1$/);
    expect(schemaVersion(db)).toBe(3);
  });
});
