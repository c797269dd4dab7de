import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ScheduleId } from '../../../../src/actors/allocator/ids.ts';
import type { JournalRow } from '../../../../src/actors/runtime/ports.ts';
import { toJournalColumns, toJournalRows } from '../../../../src/persistence/journal-columns.ts';
import { Outbox } from '../../../../src/persistence/sqlite/outbox.ts';
import type { Projector } from '../../../../src/persistence/sqlite/projector.ts';
import { ScheduleJournal, testStartMs } from '../../../contract/schedule-journal.ts';
import { TestDatabase } from './test-database.ts';

/** What test/contract/outbox-contract.ts cannot see from outside the worker. */
describe('Outbox', () => {
  let test: TestDatabase;
  let projector: Projector;
  let outbox: Outbox;

  beforeEach(() => {
    test = new TestDatabase();
    projector = test.newProjector();
    outbox = new Outbox(test.db, test.transactions);
  });
  afterEach(() => test.db.close());

  const journalOf = (scheduleId: number, holds: number) => {
    const journal = new ScheduleJournal(scheduleId, 1);
    for (let seat = 0; seat < holds; seat++) journal.hold({ seats: [seat] });
    return journal;
  };
  const commit = (...rows: JournalRow[]) => {
    test.commit(rows, projector);
    outbox.noteCommitted(toJournalColumns(rows));
  };
  const readIds = (from = outbox) =>
    toJournalRows(from.readUnpublished(100).rows).map(({ scheduleId, seq }) => `${scheduleId}-${seq}`);
  const position = (scheduleId: number, seq: number) => ({ scheduleId: scheduleId as ScheduleId, seq });

  it('knows what is new from the commits alone, and finds what it did not hear of when it is told to look', () => {
    const journal = journalOf(7, 3);
    const [first, ...others] = journal.rows();
    commit(first!);
    test.commit(others);
    expect([readIds().length, outbox.backlogEvents]).toEqual([3, 1]);
    outbox.findBacklog();
    expect(outbox.backlogEvents).toBe(3);
  });

  it('finds at the start what an earlier one left behind', () => {
    commit(...journalOf(7, 3).rows(), ...journalOf(8, 2).rows());
    outbox.markPublished([position(7, 2), position(8, 2)]);
    const next = new Outbox(test.db, test.transactions);
    expect([readIds(next), next.backlogEvents]).toEqual([['7-3'], 1]);
  });

  it('a mark that the database refuses is none, and may be repeated', () => {
    commit(...journalOf(7, 3).rows());
    test.db.exec(
      "CREATE TEMP TRIGGER refuse BEFORE INSERT ON schedule_projection BEGIN SELECT raise(ABORT, 'no'); END",
    );
    expect(() => outbox.markPublished([position(7, 2)])).toThrow('no');
    expect([readIds(), outbox.backlogEvents]).toEqual([['7-1', '7-2', '7-3'], 3]);
    test.db.exec('DROP TRIGGER refuse');
    outbox.markPublished([position(7, 2)]);
    expect(readIds()).toEqual(['7-3']);
  });

  it('all positions of a mark are one transaction', () => {
    commit(...journalOf(7, 1).rows(), ...journalOf(8, 1).rows());
    test.db.exec(
      "CREATE TEMP TRIGGER refuse BEFORE INSERT ON schedule_projection WHEN new.schedule_id = 8 BEGIN SELECT raise(ABORT, 'no'); END",
    );
    expect(() => outbox.markPublished([position(7, 1), position(8, 1)])).toThrow('no');
    expect(readIds()).toEqual(['7-1', '8-1']);
    expect(readIds(new Outbox(test.db, test.transactions))).toEqual(['7-1', '8-1']);
  });

  it('what it cannot delete stays, and stays unpublished', () => {
    const journal = journalOf(7, 3);
    commit(...journal.rows());
    projector.projectChunk();
    test.db.exec(
      "CREATE TEMP TRIGGER refuse BEFORE DELETE ON event_log BEGIN SELECT raise(ABORT, 'no'); END",
    );
    const trim = { afterScheduleId: 0, beforeMs: testStartMs + 1, rowsMax: 10, isPublishing: false };
    expect(() => outbox.trimJournal(trim)).toThrow('no');
    expect([test.count('event_log'), readIds(), outbox.backlogEvents]).toEqual([3, ['7-1', '7-2', '7-3'], 3]);
    test.db.exec('DROP TRIGGER refuse');
    expect(outbox.trimJournal(trim)).toEqual({ scheduleId: 7, deleted: 3 });
    expect([test.count('event_log'), readIds(), outbox.backlogEvents]).toEqual([0, [], 0]);
  });

  it('fills a chunk from several schedules, in columns of its length', () => {
    commit(...journalOf(7, 50).rows(), ...journalOf(8, 50).rows());
    const { rows, backlogEvents } = outbox.readUnpublished(60);
    expect([rows.count, rows.scheduleId.length, rows.payload.length, backlogEvents]).toEqual([
      60, 60, 60, 100,
    ]);
    expect(rows.seq.slice(50)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });
});
