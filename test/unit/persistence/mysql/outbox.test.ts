import { beforeEach, describe, expect, it } from 'vitest';
import type { ScheduleId } from '../../../../src/actors/allocator/ids.ts';
import type { MySqlSession } from '../../../../src/mysql/session.ts';
import { toJournalColumns } from '../../../../src/persistence/journal-columns.ts';
import { JournalReader } from '../../../../src/persistence/mysql/journal-reader.ts';
import { Outbox } from '../../../../src/persistence/mysql/outbox.ts';
import { ScheduleJournal } from '../../../contract/schedule-journal.ts';

/** Everything else of it is in the contract of all stores. */
describe('Outbox, while the database is asked what is behind', () => {
  const session = { raw: async () => ({}) } as unknown as MySqlSession;
  const id = 7 as ScheduleId;
  let outbox: Outbox;

  beforeEach(() => {
    const reader = new JournalReader();
    outbox = new Outbox(reader);
    const journal = new ScheduleJournal(7, 1);
    for (let seat = 0; seat < 5; seat++) journal.hold({ seats: [seat] });
    const rows = toJournalColumns(journal.rows());
    reader.noteCommitted(rows);
    outbox.noteCommitted(rows);
  });

  const unpublished = async () => (await outbox.readUnpublished(session, 10)).rows.seq;

  it('keeps what was published meanwhile, which the answer may not have counted', async () => {
    outbox.expectBacklog();
    await outbox.markPublished(session, [{ scheduleId: id, seq: 3 }]);
    await outbox.markPublished(session, [{ scheduleId: id, seq: 2 }]);
    outbox.setBacklog([[id, 0, 5]]);
    expect(await unpublished()).toEqual([4, 5]);
  });

  it('takes the answer for what was published before', async () => {
    await outbox.markPublished(session, [{ scheduleId: id, seq: 4 }]);
    outbox.expectBacklog();
    outbox.setBacklog([[id, 2, 5]]);
    expect(await unpublished()).toEqual([3, 4, 5]);
  });

  it('and for a schedule that is not behind', async () => {
    outbox.expectBacklog();
    await outbox.markPublished(session, [{ scheduleId: id, seq: 5 }]);
    outbox.setBacklog([]);
    expect([await unpublished(), outbox.backlogEvents]).toEqual([[], 0]);
  });
});
