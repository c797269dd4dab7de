import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JournalRow } from '../../src/actors/runtime/ports.ts';
import { migrations } from '../../src/persistence/sqlite/migrations.ts';
import { openSqliteStore } from '../../src/persistence/sqlite/sqlite-store.ts';
import { migrate, schemaVersion } from '../../src/sqlite/migrate.ts';
import { foldJournal, foldStored } from './journal-fold.ts';
import { ScheduleJournal } from './schedule-journal.ts';
import { temporaryDirectory } from './sqlite-harness.ts';
import { Committer, everything } from './store-harness.ts';

const versionBeforePayments = 2;

/** Two holds of which one was cancelled, and a blocked seat; what comes behind seq 3 is not projected. */
function journalOfVersion2(): ScheduleJournal {
  const journal = new ScheduleJournal(10, 1);
  journal.hold({ seats: [4, 3], mark: { key: 'k', fingerprint: 7 } });
  const second = journal.hold({ userId: 'bob', seats: [5] });
  journal.nowMs += 1000;
  journal.cancel(second);
  journal.block(9);
  return journal;
}

/** The file as that version left it. */
function writeFileOfVersion2(directory: string, rows: readonly JournalRow[]): void {
  const db = new DatabaseSync(join(directory, 'usher.db'));
  migrate(db, migrations.slice(0, versionBeforePayments));
  db.exec("INSERT INTO shard VALUES (1, 4, 'before', 9)");
  const append = db.prepare('INSERT INTO event_log VALUES (?, ?, ?, ?, ?, ?)');
  for (const { scheduleId, seq, shardId, atMs, type, payload } of rows) {
    append.run(scheduleId, seq, shardId, atMs, type, payload);
  }
  const [held, other, cancelled] = rows.map(({ atMs }) => atMs);
  db.exec(`
    INSERT INTO schedule_projection VALUES (10, 3, 0, ${cancelled}, 2, 2, 1);
    INSERT INTO reservation VALUES
      (10, 1, 'ann', 0, '4,3', 5000, ${held}, ${held! + 300_000}, 0, 1),
      (10, 2, 'bob', 4, '5', 5000, ${other}, ${other! + 300_000}, ${cancelled}, 3);
    INSERT INTO seat_reservation VALUES (10, 3, 1), (10, 4, 1);
    INSERT INTO mark VALUES (10, 1, ${held}, 'ann', 'k', 7, 1, 0, ${held! + 300_000});
  `);
  db.close();
}

describe('a file from before there were payments', () => {
  let directory: string;
  let journal: ScheduleJournal;

  beforeEach(() => {
    directory = temporaryDirectory();
    journal = journalOfVersion2();
    writeFileOfVersion2(directory, journal.newRows());
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it('is brought to the newest version, with everything that is in it', async () => {
    const store = await openSqliteStore({ directory });
    const before = await store.loadSchedule(journal.scheduleId, everything);
    expect(foldStored(before)).toEqual(foldJournal(journal.rows()));
    await store.projectAll();
    const { image } = await store.loadSchedule(journal.scheduleId, everything);
    expect(foldStored({ image, tail: [] })).toEqual(foldJournal(journal.rows()));
    expect(await store.claimShards('next', [journal.shardId])).toEqual([{ shardId: 1, epoch: 5 }]);
    await store.close();
    const db = new DatabaseSync(join(directory, 'usher.db'));
    expect(schemaVersion(db)).toBe(migrations.length);
    db.close();
  });

  it('sells what it holds', async () => {
    const store = await openSqliteStore({ directory });
    const committer = new Committer(store);
    await committer.claim(1);
    const number = journal.events.flatMap((event) => (event.type === 'held' ? [event.number] : []))[0]!;
    const mark = { key: 'pay', fingerprint: 8 };
    journal.paid(number, journal.pay(number, { method: 'card', mark }), mark);
    await committer.commit(...journal.newRows());
    await store.projectAll();
    const { image } = await store.loadSchedule(journal.scheduleId, everything);
    expect(foldStored({ image, tail: [] })).toEqual(foldJournal(journal.rows()));
    expect(await store.findReservation(journal.scheduleId, number)).toMatchObject({
      status: 'PAID',
      paymentSeq: 5,
      paidAtMs: journal.nowMs,
    });
    expect(await store.schedulesWithOpenWork()).toEqual([]);
    await store.close();
  });
});
