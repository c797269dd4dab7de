import { describe, it } from 'vitest';
import { MySqlAuditor } from '../../src/ledger/mysql/mysql-auditor.ts';
import { MySqlPointsReader } from '../../src/ledger/mysql/mysql-points-reader.ts';
import { systemClock } from '../../src/system-clock.ts';
import { expectParity } from './ledger-parity.ts';
import { useMySqlBook } from './mysql-book-stage.ts';

describe('the books in MySQL and in memory answer the same and keep the same', () => {
  const stage = useMySqlBook();
  const seeds = Array.from({ length: 12 }, (_, i) => i + 1);

  it.each(seeds)('whatever comes, and what is applied again changes nothing: seed %i', async (seed) => {
    const primary = stage.reads;
    const points = new MySqlPointsReader({ primary, replica: undefined, clock: systemClock });
    const audits = new MySqlAuditor({ primary, auditLimitMs: 10_000, clock: systemClock });
    await expectParity(
      {
        apply: (operations) => stage.book.apply(operations),
        balanceOf: (userId) => points.balanceOf(userId),
        listEntries: (query) => points.listEntries(query),
        auditSchedule: (scheduleId) => audits.auditSchedule(scheduleId),
      },
      seed,
    );
  });
});
