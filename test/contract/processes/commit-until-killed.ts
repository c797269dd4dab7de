import { lockDataDirectory } from '../../../src/persistence/sqlite/data-directory-lock.ts';
import { openSqliteStore } from '../../../src/persistence/sqlite/sqlite-store.ts';
import { ScheduleJournal } from '../schedule-journal.ts';
import { Committer, everything } from '../store-harness.ts';

/** Commits hold after hold of one schedule, and prints each seq that the store said is on disk. */
const directory = process.argv[2]!;
lockDataDirectory(directory);
const store = await openSqliteStore({ directory });
const committer = new Committer(store);
const journal = new ScheduleJournal(1, 1);
const { image, tail } = await store.loadSchedule(journal.scheduleId, everything);
for (let seat = 0; seat < image.projectedSeq + tail.length; seat++) journal.hold({ seats: [seat] });
journal.newRows();
await committer.claim(1);
for (;;) {
  for (let i = 0; i < 20; i++) journal.hold({ seats: [journal.events.length] });
  await committer.commit(...journal.newRows());
  console.log(journal.events.length);
}
