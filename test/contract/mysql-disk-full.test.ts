import { type Connection, createConnection } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type MariaDb, startMariaDb } from '../../scripts/servers/mariadb.ts';
import { outcomeOf, rowsOf, StoreRun } from './mysql-store-stage.ts';
import { ScheduleJournal } from './schedule-journal.ts';
import { everything } from './store-harness.ts';

/**
 * All tables in one file that may not grow, which to the server is a disk that is full. (With a file system that is
 * full, one would need root; with a limit on the size of files, or with large values in a file that is full to its
 * last page, this server crashes.)
 */
const variables = { innodb_file_per_table: 0, innodb_data_file_path: 'ibdata1:12M:autoextend:max:24M' };

describe('the MySQL store, when the disk is full', () => {
  let server: MariaDb;
  let shell: Connection;

  beforeAll(async () => {
    server = await startMariaDb({ variables });
    shell = await createConnection(server.url);
  });
  afterAll(async () => {
    shell?.destroy();
    await server?.stop();
  });

  /** Some megabytes are left: enough for a batch, and not for a large one. */
  async function fill(): Promise<void> {
    await shell.query('CREATE TABLE filler (id INT AUTO_INCREMENT PRIMARY KEY, bytes VARCHAR(7000))');
    const values = Array.from({ length: 100 }, () => "(REPEAT('a', 7000))");
    for (let rows = 0; rows < 700; rows += 100) {
      await cleared(() => shell.query(`INSERT INTO filler (bytes) VALUES ${values}`));
    }
  }

  /** The server clears up in its own time. */
  const cleared = <T>(work: () => Promise<T>): Promise<T> => vi.waitFor(work, 10_000);

  it('is unavailable at once, says why, keeps nothing of a batch, and goes on when there is room', async () => {
    const run = await StoreRun.open(server.url);
    await run.claim(1);
    const journal = new ScheduleJournal(10, 1);
    journal.hold({ seats: [0] });
    await run.commitNew(journal);
    await run.store.projectAll();
    await fill();

    const seats = Array.from({ length: 500 }, (_, seat) => 100_000 + seat);
    for (let i = 0; i < 1_000; i++) {
      journal.block(...seats);
      journal.unblock(...seats);
    }
    const batch = run.batch(journal.newRows());
    const outcome = await outcomeOf(run.store.commit(batch));
    expect(outcome).toMatchObject({
      said: 'StoreUnavailable',
      message: expect.stringMatching(/cannot write \(is its disk full\?\): The table 'event_log' is full/),
    });
    expect(outcome.tookMs).toBeLessThan(4_000);
    expect(await rowsOf(shell, 'SELECT COUNT(*), MAX(seq) FROM event_log')).toEqual([[1, 1]]);
    expect(await rowsOf(shell, 'SELECT last_batch FROM shard')).toEqual([[1]]);

    await shell.query('DROP TABLE filler');
    await cleared(async () => expect(await run.store.commit(batch)).toBe('committed'));
    await run.store.projectAll();
    const { image, tail } = await run.store.loadSchedule(journal.scheduleId, everything);
    expect([image.projectedSeq, tail]).toEqual([2_001, []]);
    await shell.query('TRUNCATE event_log');
    await run.store.close();
  });

  it('a projection that finds no room says so once, and is carried on when there is some', async () => {
    const run = await StoreRun.open(server.url);
    await run.claim(2);
    await fill();
    const journal = new ScheduleJournal(20, 2);
    // An event is a fraction of the rows that it leaves.
    for (let first = 0; first < 60_000; first += 10_000) {
      journal.block(...Array.from({ length: 10_000 }, (_, seat) => first + seat));
    }
    expect(await run.commitNew(journal)).toBe('committed');
    const projecting = await outcomeOf(run.store.projectAll());
    expect(projecting.message).toMatch(/cannot write \(is its disk full\?\)/);
    await outcomeOf(run.store.projectAll());
    expect(run.troubles).toEqual([
      {
        kind: 'fault',
        fault: 'projecting failed; it is tried again',
        message: expect.stringMatching(/is its disk full/),
      },
    ]);
    await shell.query('DROP TABLE filler');
    await cleared(() => run.store.projectAll());
    const sql = 'SELECT projected_seq, taken_seats FROM schedule_projection WHERE schedule_id = 20';
    expect(await rowsOf(shell, sql)).toEqual([[6, 60_000]]);
    await run.store.close();
  });
});
