import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'vitest';
import { AuditRows } from '../../src/ledger/sqlite/audit-rows.ts';
import { ledgerMigrations } from '../../src/ledger/sqlite/ledger-migrations.ts';
import { PointsRows } from '../../src/ledger/sqlite/points-rows.ts';
import { SqliteBook } from '../../src/ledger/sqlite/sqlite-book.ts';
import { migrate } from '../../src/sqlite/migrate.ts';
import { expectParity } from './ledger-parity.ts';

describe('the books in SQLite and in memory answer the same and keep the same', () => {
  const seeds = Array.from({ length: 60 }, (_, i) => i + 1);

  it.each(seeds)('whatever comes, and what is applied again changes nothing: seed %i', async (seed) => {
    const db = new DatabaseSync(':memory:');
    migrate(db, ledgerMigrations);
    const book = new SqliteBook(db);
    const points = new PointsRows(db);
    const audits = new AuditRows(db);
    await expectParity(
      {
        apply: (operations) => book.apply(operations),
        balanceOf: (userId) => points.balanceOf(userId),
        listEntries: (query) => points.listEntries(query),
        auditSchedule: (scheduleId) => audits.auditSchedule(scheduleId),
      },
      seed,
    );
    db.close();
  });
});
