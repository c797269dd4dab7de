import { setTimeout as sleep } from 'node:timers/promises';
import { type Connection, createConnection } from 'mysql2/promise';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type MariaDb, startMariaDb } from '../../scripts/servers/mariadb.ts';
import { foldJournal, foldStored } from './journal-fold.ts';
import { outcomeOf, rowsOf, StoreRun } from './mysql-store-stage.ts';
import { ScheduleJournal } from './schedule-journal.ts';
import { everything } from './store-harness.ts';

/** A server of its own, which is killed, frozen, filled up and made read-only. */
describe('the MySQL store, when the server fails', () => {
  let server: MariaDb;
  let url: string;
  let run: StoreRun;
  let journal: ScheduleJournal;
  let root: Connection;

  beforeAll(async () => {
    server = await startMariaDb();
  });
  afterAll(() => server?.stop());

  beforeEach(async () => {
    url = await server.createDatabase();
    root = await createConnection(server.rootUrl);
    // Of one that the server's end has cut, of which it is told as well.
    root.on('error', () => {});
    run = await StoreRun.open(url, { patienceMs: 700, primary: { statementLimitMs: 1_000 } });
    await run.claim(1);
    journal = new ScheduleJournal(10, 1);
    journal.hold({ seats: [0] });
    await run.commitNew(journal);
  });
  afterEach(async () => {
    root.destroy();
    await run.store.close();
    await server.dropDatabase(url);
  });

  const hold = () => journal.hold({ seats: [journal.events.length] });

  /** Everything that was acknowledged is there once, in the journal and in the tables. */
  async function expectWhole(): Promise<void> {
    const shell = await createConnection(url);
    const [counts] = await rowsOf(
      shell,
      'SELECT COUNT(*), MIN(seq), MAX(seq) FROM event_log WHERE schedule_id = 10',
    );
    shell.destroy();
    const last = journal.events.length;
    expect(counts).toEqual([last, 1, last]);
    await run.store.projectAll();
    const { image, tail } = await run.store.loadSchedule(journal.scheduleId, everything);
    expect(tail).toEqual([]);
    expect(foldStored({ image, tail })).toEqual(foldJournal(journal.rows()));
  }

  describe('that is read-only', () => {
    afterEach(() => root.query('SET GLOBAL read_only = 0'));

    it('for a while, as in a failover: commits wait for it', async () => {
      await root.query('SET GLOBAL read_only = 1');
      hold();
      const commit = outcomeOf(run.commitNew(journal));
      await sleep(300);
      await root.query('SET GLOBAL read_only = 0');
      expect(await commit).toMatchObject({ said: 'committed' });
      await expectWhole();
    });

    it('for long: commits say so in time, and go on when it is over', async () => {
      await root.query('SET GLOBAL read_only = 1');
      hold();
      const batch = run.batch(journal.newRows());
      const outcome = await outcomeOf(run.store.commit(batch));
      expect(outcome).toMatchObject({ said: 'StoreUnavailable', message: /MySQL is read-only/ });
      expect(outcome.tookMs).toBeLessThan(5_000);
      expect(await outcomeOf(run.store.createVenue({ name: 'hall', sections: [] }))).toMatchObject({
        message: /MySQL is read-only/,
      });
      await root.query('SET GLOBAL read_only = 0');
      expect(await run.store.commit(batch)).toBe('committed');
      await expectWhole();
    });

    it('between a batch and its COMMIT: the batch is settled', async () => {
      // It waits for the row of its shard, and then the server has become read-only.
      const holder = await createConnection(url);
      await holder.query('START TRANSACTION');
      await holder.query('SELECT * FROM shard WHERE shard_id = 1 FOR UPDATE');
      hold();
      const surely = run.commitSurely(journal);
      await sleep(200);
      const readOnly = root.query('SET GLOBAL read_only = 1');
      await holder.query('ROLLBACK');
      holder.destroy();
      await readOnly;
      await sleep(300);
      await root.query('SET GLOBAL read_only = 0');
      await surely;
      await expectWhole();
    });

    it('at the start: says what MYSQL_URL must name', async () => {
      await root.query('SET GLOBAL read_only = 1');
      await expect(StoreRun.open(url)).rejects.toThrow(/read-only: MYSQL_URL must name the primary/);
    });
  });

  describe('that has no connection to give', () => {
    afterEach(() => root.query('SET GLOBAL max_connections = 151'));

    it('is unavailable, says why, and goes on when there is one', async () => {
      const [row] = await rowsOf(root, "SHOW GLOBAL STATUS LIKE 'Threads_connected'");
      await root.query(`SET GLOBAL max_connections = ${Math.max(10, Number(row![1]))}`);
      // The store's own is lost, and others have taken all.
      await killOf(run);
      const others = await takeAll();
      hold();
      const batch = run.batch(journal.newRows());
      const outcome = await outcomeOf(run.store.commit(batch));
      expect(outcome).toMatchObject({
        said: 'StoreUnavailable',
        message: /no connection to give \(max_connections\)/,
      });
      expect(outcome.tookMs).toBeLessThan(5_000);
      const commit = outcomeOf(run.store.commit(batch));
      await sleep(60);
      for (const other of others) other.destroy();
      expect(await commit).toMatchObject({ said: 'committed' });
      await root.query('SET GLOBAL max_connections = 151');
      await expectWhole();
    });

    async function killOf({ holder }: StoreRun): Promise<void> {
      expect(holder).not.toBe('');
      const rows = await rowsOf(root, "SELECT id FROM information_schema.processlist WHERE user = 'usher'");
      for (const [id] of rows) await root.query(`KILL ${id}`).catch(() => {});
    }

    async function takeAll(): Promise<Connection[]> {
      const taken: Connection[] = [];
      try {
        for (;;) taken.push(await createConnection(url));
      } catch {
        return taken;
      }
    }
  });

  it('that is frozen: commits are unavailable in time, and go on when it thaws', async () => {
    hold();
    const batch = run.batch(journal.newRows());
    await server.suspend();
    const frozen = await outcomeOf(run.store.commit(batch));
    expect(['StoreUnavailable', 'CommitOutcomeUnknown']).toContain(frozen.said);
    expect(frozen.tookMs).toBeLessThan(5_000);
    server.resume();
    expect(await run.store.commit(batch)).toBe('committed');
    await expectWhole();
  });

  it('that is frozen can be left: closing waits for nobody', async () => {
    const other = await StoreRun.open(url, { patienceMs: 500, primary: { statementLimitMs: 500 } });
    await other.claim(2);
    await other.store.listVenues(0);
    await server.suspend();
    // A connection that is given up, and those that are idle.
    await outcomeOf(other.store.renewShards(other.holder, []));
    const lost = outcomeOf(other.store.listVenues(0));
    const close = await outcomeOf(other.store.close());
    expect(await lost).toMatchObject({ said: 'StoreUnavailable' });
    expect(close.said).toBeUndefined();
    expect(close.tookMs).toBeLessThan(5_000);
    server.resume();
  });

  it('that is killed and started again under a stream of commits: nothing is lost, doubled or half there', async () => {
    const rows: number[] = [];
    let isEnough = false;
    const stream = (async () => {
      while (!isEnough || rows.length < 100) {
        for (let i = 0; i < 7; i++) hold();
        await run.commitSurely(journal);
        rows.push(journal.events.length);
      }
    })();
    for (let round = 0; round < 4; round++) {
      await sleep(150 + round * 50);
      await server.kill9();
      await server.restart();
    }
    isEnough = true;
    await stream;
    expect(rows.length).toBeGreaterThanOrEqual(100);
    await expectWhole();
  });

  it('that is shut down and started again while it projects: the tables are what the journal says', async () => {
    const journals = Array.from({ length: 8 }, (_, i) => new ScheduleJournal(100 + i, 1));
    for (let round = 0; round < 60; round++) {
      for (const each of journals) {
        for (let i = 0; i < 20; i++) each.hold({ seats: [each.events.length] });
      }
      await run.commitSurely(...journals);
      if (round % 20 === 10) await server.restart();
    }
    await run.store.projectAll();
    for (const each of journals) {
      const { image } = await run.store.loadSchedule(each.scheduleId, everything);
      expect(foldStored({ image, tail: [] })).toEqual(foldJournal(each.rows()));
    }
    // It said so once for each time, and not every second.
    const faults = run.notices.filter(({ kind }) => kind === 'fault');
    expect(faults.length).toBeLessThanOrEqual(3);
  });
});
