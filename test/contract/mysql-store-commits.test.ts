import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { CutPoint } from '../../scripts/servers/mysql-cutting-proxy.ts';
import { openNamedSession } from '../../src/mysql/named-session.ts';
import { mysqlOptions } from './mysql-harness.ts';
import { MySqlStage, outcomeOf, type StoreRun } from './mysql-store-stage.ts';
import { ScheduleJournal } from './schedule-journal.ts';
import { shardIds } from './store-harness.ts';

/** A statement that begins a batch, as the proxy sees it. */
const batchPacket = /^START TRANSACTION;UPDATE shard/;

const seqsSql = 'SELECT schedule_id, COUNT(*), MAX(seq) FROM event_log GROUP BY schedule_id';

/** Each fault of a commit: what its caller hears and when, what is there then, and that the store goes on. */
describe.concurrent('the MySQL store, when a commit goes wrong', () => {
  interface Scene {
    readonly stage: MySqlStage;
    readonly run: StoreRun;
    readonly journal: ScheduleJournal;
  }

  /** A store that owns shards 1 and 2 and has committed seq 1 of a schedule; seq 2 is what is next. */
  async function scene(stage: MySqlStage, patienceMs = 6_000, statementLimitMs = 3_000): Promise<Scene> {
    const run = await stage.run({ patienceMs, primary: { statementLimitMs } });
    await run.claim(1, 2);
    const journal = new ScheduleJournal(10, 1);
    journal.hold({ seats: [1] });
    await run.commitNew(journal);
    journal.hold({ seats: [2] });
    return { stage, run, journal };
  }

  /** Whatever has happened: the next batch goes well, and everything is there once. */
  async function goesOn({ stage, run, journal }: Scene): Promise<unknown> {
    journal.hold({ seats: [journal.events.length + 1] });
    const answer = await run.commitNew(journal);
    await run.store.projectAll();
    const [[projected] = []] = await stage.rows('SELECT projected_seq FROM schedule_projection');
    const last = journal.events.length;
    return [answer, await stage.rows(seqsSql), projected].join() ===
      ['committed', [[10, last, last]], last].join()
      ? 'goes on'
      : [answer, await stage.rows(seqsSql), projected];
  }

  it('waits for a shard that somebody holds for a while', async () => {
    await using stage = await MySqlStage.open();
    const there = await scene(stage);
    await stage.shell.query('START TRANSACTION');
    await stage.shell.query('SELECT * FROM shard WHERE shard_id = 1 FOR UPDATE');
    const commit = outcomeOf(there.run.commitNew(there.journal));
    // Longer than one wait for a lock may take.
    await sleep(2_500);
    await stage.shell.query('ROLLBACK');
    expect(await commit).toMatchObject({ said: 'committed' });
    expect(await goesOn(there)).toBe('goes on');
  });

  it('is unavailable while somebody holds a shard for long, and nothing is there', async () => {
    await using stage = await MySqlStage.open();
    const there = await scene(stage, 500);
    await stage.shell.query('START TRANSACTION');
    await stage.shell.query('SELECT * FROM shard WHERE shard_id = 1 FOR UPDATE');
    const batch = there.run.batch(there.journal.newRows());
    const outcome = await outcomeOf(there.run.store.commit(batch));
    expect(outcome).toMatchObject({
      said: 'StoreUnavailable',
      message: /gave the transaction up.*Lock wait/,
    });
    expect(outcome.tookMs).toBeLessThan(5_000);
    await stage.shell.query('ROLLBACK');
    expect(await stage.rows(seqsSql)).toEqual([[10, 1, 1]]);
    expect(await there.run.store.commit(batch)).toBe('committed');
    expect(await goesOn(there)).toBe('goes on');
  });

  it('keeps no half of a batch whose rows wait too long behind the fence', async () => {
    await using stage = await MySqlStage.open();
    const there = await scene(stage, 500);
    await stage.shell.query('START TRANSACTION');
    await stage.shell.query("INSERT INTO event_log VALUES (10, 2, 1, 0, 'held', '{}')");
    const batch = there.run.batch(there.journal.newRows());
    expect(await outcomeOf(there.run.store.commit(batch))).toMatchObject({ said: 'StoreUnavailable' });
    await stage.shell.query('ROLLBACK');
    // Had the fence's statement stayed, the batch would be taken for one that came before.
    expect(await stage.rows('SELECT last_batch FROM shard WHERE shard_id = 1')).toEqual([[1]]);
    expect(await there.run.store.commit(batch)).toBe('committed');
    expect(await goesOn(there)).toBe('goes on');
  });

  it('sends a batch again that lost a deadlock', async () => {
    await using stage = await MySqlStage.open();
    const there = await scene(stage);
    const other = new ScheduleJournal(20, 2);
    other.hold();
    // The server gives up the transaction that has written less.
    await stage.shell.query('START TRANSACTION');
    const rows = Array.from({ length: 200 }, (_, seq) => `(99, ${seq + 1}, 1, 0, 'held', '{}')`);
    await stage.shell.query(`INSERT INTO event_log VALUES ${rows}`);
    await stage.shell.query('SELECT * FROM shard WHERE shard_id = 2 FOR UPDATE');
    const commit = outcomeOf(there.run.commitNew(there.journal, other));
    await sleep(300);
    // The batch has shard 1 and waits for 2: this closes the ring, and is answered before the batch is.
    const ring = await outcomeOf(stage.shell.query('SELECT * FROM shard WHERE shard_id = 1 FOR UPDATE'));
    expect(ring.tookMs).toBeLessThan(1_900);
    expect(ring.message).toBe('');
    await stage.shell.query('ROLLBACK');
    expect(await commit).toMatchObject({ said: 'committed' });
    expect(await stage.rows(seqsSql)).toEqual([
      [10, 2, 2],
      [20, 1, 1],
    ]);
  });

  it('opens its connection again that was lost while it was idle', async () => {
    await using stage = await MySqlStage.open();
    const there = await scene(stage);
    stage.proxy.cutAll();
    expect(await there.run.commitNew(there.journal)).toBe('committed');
    expect(await goesOn(there)).toBe('goes on');
  });

  it('opens its connections again that the server has killed, in the middle of the stream', async ({
    expect,
  }) => {
    await using stage = await MySqlStage.open();
    const there = await scene(stage);
    for (let round = 0; round < 40; round++) {
      const commit = there.run.commitSurely(there.journal);
      if (round % 4 === 0) await stage.killConnections();
      await commit;
      there.journal.hold({ seats: [there.journal.events.length + 1] });
    }
    expect(await goesOn(there)).toBe('goes on');
  });

  it.each<[CutPoint, string]>([
    ['before-commit', 'before it came'],
    ['before-answer', 'after it came'],
  ])('sends a packet again that was cut %s: the batch is there once', async (point) => {
    await using stage = await MySqlStage.open();
    const there = await scene(stage);
    stage.proxy.cutAtNextCommit(point, batchPacket);
    expect(await outcomeOf(there.run.commitNew(there.journal))).toMatchObject({ said: 'committed' });
    expect(stage.proxy.cuts).toBe(1);
    expect(await goesOn(there)).toBe('goes on');
  });

  it('finds a batch whose COMMIT had no answer, and projects and publishes it', async () => {
    await using stage = await MySqlStage.open();
    const there = await scene(stage);
    const { run, journal } = there;
    stage.proxy.cutAtNextCommit('before-answer');
    const batch = run.batch(journal.newRows());
    expect(await outcomeOf(run.store.commit(batch))).toMatchObject({ said: 'CommitOutcomeUnknown' });
    expect(stage.proxy.cuts).toBe(1);
    const resolution = await run.store.resolveCommit(batch);
    expect(resolution).toEqual({ outcome: 'committed', shards: [{ shardId: 1, epoch: 2 }] });
    run.adopt(resolution.outcome === 'fenced' ? [] : resolution.shards);
    const published: number[] = [];
    while (published.length < 2) {
      const { rows } = await run.store.readUnpublished(10);
      expect(rows).not.toEqual([]);
      published.push(...rows.map(({ seq }) => seq));
      await run.store.markPublished([{ scheduleId: journal.scheduleId, seq: published.at(-1)! }]);
    }
    expect(published).toEqual([1, 2]);
    expect(await goesOn(there)).toBe('goes on');
  });

  it('finds that a batch is not there whose COMMIT never came, and takes it again', async () => {
    await using stage = await MySqlStage.open();
    const there = await scene(stage);
    const { run, journal } = there;
    stage.proxy.cutAtNextCommit('before-commit');
    const batch = run.batch(journal.newRows());
    expect(await outcomeOf(run.store.commit(batch))).toMatchObject({ said: 'CommitOutcomeUnknown' });
    const resolution = await run.store.resolveCommit(batch);
    expect(resolution).toEqual({ outcome: 'not-committed', shards: [{ shardId: 1, epoch: 2 }] });
    expect(await stage.rows(seqsSql)).toEqual([[10, 1, 1]]);
    expect(await run.store.commit(batch)).toBe('fenced');
    run.adopt(resolution.outcome === 'fenced' ? [] : resolution.shards);
    expect(await run.store.commit(run.again(batch))).toBe('committed');
    expect(await goesOn(there)).toBe('goes on');
  });

  it.each<[CutPoint, string]>([
    ['before-answer', 'committed'],
    ['before-commit', 'not-committed'],
  ])('settles nothing while the server is away, and does when it is back (%s)', async (point, outcome) => {
    await using stage = await MySqlStage.open();
    const { run, journal } = await scene(stage, 500);
    stage.proxy.cutAtNextCommit(point);
    const batch = run.batch(journal.newRows());
    expect(await outcomeOf(run.store.commit(batch))).toMatchObject({ said: 'CommitOutcomeUnknown' });
    await stage.proxy.refuseConnections(true);
    stage.proxy.cutAll();
    const away = await outcomeOf(run.store.resolveCommit(batch));
    expect(away).toMatchObject({ said: 'StoreUnavailable', message: /does not answer/ });
    expect(away.tookMs).toBeLessThan(4_000);
    await stage.proxy.refuseConnections(false);
    expect(await run.store.resolveCommit(batch)).toMatchObject({ outcome });
  });

  it('settles at once what a connection of its own, whose end was lost, still holds', async () => {
    await using stage = await MySqlStage.open();
    const there = await scene(stage);
    const { run, journal } = there;
    // The transaction of the lost commit, as the server still has it when the network between is gone.
    const observer = { onSlowStatement: () => {} };
    const lost = await openNamedSession({ ...mysqlOptions(stage.url), observer }, run.holder, 'commit');
    await lost.change('START TRANSACTION');
    await lost.change('UPDATE shard SET last_batch = 2 WHERE shard_id = 1 AND epoch = 1');
    await lost.change("INSERT INTO event_log VALUES (10, 2, 1, 0, 'held', '{}')");
    const batch = run.batch(journal.newRows());
    const settled = await outcomeOf(run.store.resolveCommit(batch));
    expect(settled.said).toMatchObject({ outcome: 'not-committed' });
    // Not by waiting for the lock.
    expect(settled.tookMs).toBeLessThan(1_900);
    expect(await outcomeOf(lost.commit())).toMatchObject({ said: 'CommitFault' });
    run.adopt((settled.said as Awaited<ReturnType<typeof run.store.claimShards>> & { shards: [] }).shards);
    expect(await run.store.commit(run.again(batch))).toBe('committed');
    expect(await goesOn(there)).toBe('goes on');
  });

  it('is unavailable within its limits while nothing passes in the network, and goes on after it', async ({
    expect,
  }) => {
    await using stage = await MySqlStage.open();
    const there = await scene(stage, 500, 700);
    const batch = there.run.batch(there.journal.newRows());
    stage.proxy.hang(true);
    const hung = await outcomeOf(there.run.store.commit(batch));
    expect(hung).toMatchObject({ said: 'StoreUnavailable', message: /did not answer within 700 ms/ });
    expect(hung.tookMs).toBeLessThan(3_000);
    stage.proxy.hang(false);
    expect(await there.run.store.commit(batch)).toBe('committed');
    expect(await goesOn(there)).toBe('goes on');
  });

  it("is fenced, and not unavailable, where a later owner's rows stand already", async () => {
    await using stage = await MySqlStage.open();
    const { run, journal } = await scene(stage);
    const next = await stage.otherRun();
    await next.claim(1);
    expect(await next.store.commit(next.batch(journal.rows().slice(1)))).toBe('committed');
    expect(await outcomeOf(run.commitNew(journal))).toMatchObject({ said: 'fenced' });
    expect(await stage.rows(seqsSql)).toEqual([[10, 2, 2]]);
    expect(await stage.rows('SELECT last_batch FROM shard WHERE shard_id = 1')).toEqual([[1]]);
  });

  it('renews epochs of which it lost the answer', async () => {
    await using stage = await MySqlStage.open();
    const there = await scene(stage);
    const { run } = there;
    stage.proxy.cutAtNextCommit('before-answer');
    const lost = await outcomeOf(run.store.renewShards(run.holder, shardIds(1, 2)));
    expect(lost).toMatchObject({ said: 'StoreUnavailable' });
    const renewed = await run.store.renewShards(run.holder, shardIds(1, 2));
    expect(renewed).toEqual([
      { shardId: 1, epoch: 3 },
      { shardId: 2, epoch: 3 },
    ]);
    run.adopt(renewed);
    expect(await run.commitNew(there.journal)).toBe('committed');
    expect(await goesOn(there)).toBe('goes on');
  });
});
