import { createConnection } from 'mysql2/promise';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type MariaDb,
  type MariaDbReplica,
  startMariaDb,
  startReplica,
} from '../../scripts/servers/mariadb.ts';
import type { UserId } from '../../src/actors/allocator/ids.ts';
import { mysqlOptions } from './mysql-harness.ts';
import { outcomeOf, StoreRun } from './mysql-store-stage.ts';
import { ScheduleJournal } from './schedule-journal.ts';

describe('the MySQL store with a replica for what people browse', () => {
  let primary: MariaDb;
  let replica: MariaDbReplica;
  let url: string;
  let run: StoreRun;

  beforeAll(async () => {
    primary = await startMariaDb();
    replica = await startReplica(primary);
  });
  afterAll(async () => {
    await replica?.stop();
    await primary?.stop();
  });

  beforeEach(async () => {
    url = await primary.createDatabase();
    // The replica has the tables before anybody asks it.
    await (await StoreRun.open(url)).store.close();
    await replica.waitUntilCaughtUp();
    run = await StoreRun.open(url, { replica: mysqlOptions(replica.urlOf(url)) });
    await run.claim(1);
    const journal = new ScheduleJournal(10, 1);
    journal.hold({ userId: 'ann' });
    await run.commitNew(journal);
    await run.store.projectAll();
    await replica.waitUntilCaughtUp();
    // What only the replica says: whoever hears it has asked the replica.
    await onReplica(`UPDATE reservation SET total_minor = 1 WHERE schedule_id = 10`);
  });
  afterEach(() => run.store.close());

  async function onReplica(sql: string): Promise<void> {
    const root = await createConnection(replica.rootUrl);
    await root.query(`USE ${new URL(url).pathname.slice(1)}`);
    await root.query('SET SESSION sql_log_bin = 0');
    await root.query(sql);
    root.destroy();
  }

  /** Who has answered, and after how long. */
  async function list(): Promise<{ by: string; tookMs: number; message: string }> {
    const { said, tookMs, message } = await outcomeOf(
      run.store.listReservations({ userId: 'ann' as UserId, limit: 5 }),
    );
    const [reservation] = (said as Awaited<ReturnType<typeof run.store.listReservations>>).reservations ?? [];
    return { by: reservation?.totalMinor === 1 ? 'replica' : 'primary', tookMs, message };
  }

  const faults = () => run.notices.filter(({ kind }) => kind === 'fault');

  it('asks it for lists, and the primary for what must be true now', async () => {
    expect(await list()).toMatchObject({ by: 'replica', message: '' });
    const found = await run.store.findReservation(10 as never, 1 as never);
    expect(found?.totalMinor).toBe(5000);
    expect(faults()).toEqual([]);
  });

  it('asks the primary when it is dead, leaves it alone for a while, and says so once', async () => {
    expect(await list()).toMatchObject({ by: 'replica' });
    await replica.kill9();
    const answers = await Promise.all([list(), list(), list()]);
    expect(answers.map(({ by }) => by)).toEqual(['primary', 'primary', 'primary']);
    for (const { tookMs } of answers) expect(tookMs).toBeLessThan(3_000);
    await replica.restart();
    expect(await list()).toMatchObject({ by: 'primary' });
    expect(faults()).toEqual([
      {
        kind: 'fault',
        fault: expect.stringContaining('the replica failed'),
        message: expect.stringMatching(/MySQL/),
      },
    ]);
  });

  it('asks the primary in time when it is frozen, and at once after that', async () => {
    expect(await list()).toMatchObject({ by: 'replica' });
    await replica.suspend();
    const first = await list();
    expect(first).toMatchObject({ by: 'primary', message: '' });
    expect(first.tookMs).toBeLessThan(3_500);
    const next = await Promise.all([list(), list()]);
    for (const { by, tookMs } of next) {
      expect(by).toBe('primary');
      expect(tookMs).toBeLessThan(950);
    }
    replica.resume();
  });

  it('asks the primary when it lacks the tables', async () => {
    await onReplica('RENAME TABLE reservation TO gone');
    expect(await list()).toMatchObject({ by: 'primary', message: '' });
    expect(faults()).toMatchObject([{ message: /reservation' doesn't exist/ }]);
    await onReplica('RENAME TABLE gone TO reservation');
  });

  it('does not need it to start, nor to sell', async () => {
    await replica.kill9();
    const other = await StoreRun.open(url, { replica: mysqlOptions(replica.urlOf(url)) });
    await other.claim(2);
    const journal = new ScheduleJournal(20, 2);
    journal.hold();
    expect(await other.commitNew(journal)).toBe('committed');
    await other.store.close();
    await replica.restart();
  });
});
