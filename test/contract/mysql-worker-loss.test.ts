import { randomUUID } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import type { ShardEpoch } from '../../src/actors/runtime/ports.ts';
import type { MySqlWorkerData } from '../../src/persistence/mysql/mysql-worker-data.ts';
import { WorkerStore } from '../../src/persistence/worker/worker-store.ts';
import { foldJournal, foldStored } from './journal-fold.ts';
import { mysqlOptions } from './mysql-harness.ts';
import { MySqlStage, outcomeOf } from './mysql-store-stage.ts';
import { ScheduleJournal } from './schedule-journal.ts';
import { batchOf, everything, shardIds } from './store-harness.ts';

/** Less than a statement's limit, so that the worker has not answered by itself. */
const callLimitMs = 2_000;

/** A worker thread whose call took too long is ended, and another one follows it. */
describe.concurrent('the MySQL store, when its worker is lost', () => {
  interface Scene extends AsyncDisposable {
    readonly stage: MySqlStage;
    readonly store: WorkerStore;
    readonly holder: string;
    shards: readonly ShardEpoch[];
  }

  /** A store that owns shards 1 and 2, and whose calls have `callLimitMs`. */
  async function scene(): Promise<Scene> {
    const stage = await MySqlStage.open();
    await (await stage.otherRun()).store.close();
    const holder = `test/${randomUUID()}`;
    const store = new WorkerStore({
      entry: new URL('../../src/persistence/mysql/mysql-worker.ts', import.meta.url),
      workerData: {
        primary: mysqlOptions(stage.proxy.url),
        replica: undefined,
        holder,
        poolMax: 2,
        patienceMs: 6_000,
      } satisfies MySqlWorkerData,
      callLimitMs,
      longCallLimitMs: 20_000,
      onNotice: () => {},
    });
    await store.opened();
    const shards = await store.claimShards(holder, shardIds(1, 2));
    const dispose = async () => {
      stage.proxy.hang(false);
      await store.close();
      await stage[Symbol.asyncDispose]();
    };
    return { stage, store, holder, shards, [Symbol.asyncDispose]: dispose };
  }

  /** A call that nobody answers: the worker with all it knows is gone. */
  async function loseWorker({ stage, store }: Scene): Promise<void> {
    stage.proxy.hang(true);
    expect(await outcomeOf(store.listVenues(0))).toMatchObject({ said: 'StoreUnavailable' });
    stage.proxy.hang(false);
  }

  it('publishes what the one before had committed, in order, and leaves nothing out (I7)', async () => {
    await using there = await scene();
    const { store, shards } = there;
    const [one, two] = [new ScheduleJournal(10, 1), new ScheduleJournal(20, 2)];
    for (const journal of [one, two]) for (let i = 0; i < 3; i++) journal.hold({ seats: [i] });
    await store.commit(batchOf(1, shards, [...one.newRows(), ...two.newRows()]));
    await loseWorker(there);
    // Of one of them something new is committed; of the other nothing ever is.
    one.hold({ seats: [3] });
    await store.commit(batchOf(2, shards.slice(0, 1), one.newRows()));
    const published: string[] = [];
    for (;;) {
      const { rows } = await store.readUnpublished(2);
      if (rows.length === 0) break;
      published.push(...rows.map(({ scheduleId, seq }) => `${scheduleId}:${seq}`));
      await store.markPublished(rows.map(({ scheduleId, seq }) => ({ scheduleId, seq })));
    }
    expect(published.filter((each) => each.startsWith('10:'))).toEqual(['10:1', '10:2', '10:3', '10:4']);
    expect(published.filter((each) => each.startsWith('20:'))).toEqual(['20:1', '20:2', '20:3']);
  });

  const shown = 'SELECT SUM(projected_seq) FROM schedule_projection';

  it('projects what the one before had committed, without being asked', async () => {
    await using there = await scene();
    const { stage, store, shards } = there;
    // More than a chunk, so that the first worker can't have projected all of it.
    const journals = [new ScheduleJournal(10, 1), new ScheduleJournal(20, 2)];
    for (let batch = 1; batch <= 5; batch++) {
      for (const journal of journals) {
        for (let i = 0; i < 500; i++) journal.hold({ seats: [journal.events.length] });
      }
      const rows = journals.flatMap((journal) => journal.newRows());
      expect(await store.commit(batchOf(batch, shards, rows))).toBe('committed');
    }
    await loseWorker(there);
    expect(await stage.rows(shown)).not.toEqual([['5000']]);
    await store.listVenues(0);
    await vi.waitFor(async () => expect(await stage.rows(shown)).toEqual([['5000']]), 10_000);
    for (const journal of journals) {
      const { image } = await store.loadSchedule(journal.scheduleId, everything);
      expect(foldStored({ image, tail: [] })).toEqual(foldJournal(journal.rows()));
    }
  });

  it('settles the commit that was under way, and projects and publishes it if it is there', async () => {
    await using there = await scene();
    const { stage, store, shards } = there;
    const journal = new ScheduleJournal(10, 1);
    journal.hold();
    const batch = batchOf(1, shards.slice(0, 1), journal.newRows());
    // The server has it; the network goes quiet before its answer.
    stage.proxy.delayAnswersMs = callLimitMs;
    expect(await outcomeOf(store.commit(batch))).toMatchObject({ said: 'CommitOutcomeUnknown' });
    stage.proxy.delayAnswersMs = 0;
    const resolution = await store.resolveCommit(batch);
    expect(['committed', 'not-committed']).toContain(resolution.outcome);
    if (resolution.outcome === 'not-committed') {
      expect(await store.commit({ ...batch, shards: resolution.shards })).toBe('committed');
    }
    await store.projectAll();
    expect(await stage.rows('SELECT projected_seq FROM schedule_projection')).toEqual([[1]]);
    expect((await store.readUnpublished(10)).rows.map(({ seq }) => seq)).toEqual([1]);
  });

  it('leaves no connection behind, and closes while nothing passes in the network', async () => {
    const there = await scene();
    const { stage, store } = there;
    await Promise.all([store.listVenues(0), store.listPerformances(0), store.schedulesWithOpenWork()]);
    expect(stage.proxy.connections).toBeGreaterThan(2);
    await loseWorker(there);
    await vi.waitFor(() => expect(stage.proxy.connections).toBe(0));
    await Promise.all([store.listVenues(0), store.projectAll()]);
    stage.proxy.hang(true);
    const close = await outcomeOf(store.close());
    expect(close.tookMs).toBeLessThan(3_500);
    stage.proxy.hang(false);
    await vi.waitFor(() => expect(stage.proxy.connections).toBe(0));
    await there[Symbol.asyncDispose]();
  });

  it('closes while it finds out what is behind, however long that takes', async () => {
    await using stage = await MySqlStage.open();
    const { store, holder } = await stage.otherRun();
    await stage.shell.query('LOCK TABLES event_log WRITE');
    await store.claimShards(holder, shardIds(1));
    await vi.waitFor(async () => expect(await stage.rows(waiting)).toEqual([[1]]), 5_000);
    expect((await outcomeOf(store.close())).tookMs).toBeLessThan(3_500);
    await stage.shell.query('UNLOCK TABLES');
  });

  const waiting = `SELECT COUNT(*) FROM information_schema.processlist
    WHERE db = DATABASE() AND state LIKE 'Waiting for table metadata lock%'`;
});
