import { expect, it } from 'vitest';
import { toJournalColumns, toJournalRows } from '../../../src/persistence/journal-columns.ts';
import { ScheduleJournal } from '../../contract/schedule-journal.ts';

it('rows come back from their columns in order', () => {
  const journal = new ScheduleJournal(2 ** 53 - 1, 255);
  journal.cancel(journal.hold());
  journal.block(1, 2);
  const columns = toJournalColumns(journal.rows());
  expect(columns.type).toEqual(['held', 'cancelled', 'blocked']);
  expect(toJournalRows(structuredClone(columns))).toEqual(journal.rows());
  expect(toJournalRows(toJournalColumns([]))).toEqual([]);
});
