import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { openNamedSession, type SessionRole } from '../../src/mysql/named-session.ts';
import type { MySqlSession } from '../../src/mysql/session.ts';
import { Prng } from '../simulation/prng.ts';
import { foldJournal, foldStored } from './journal-fold.ts';
import { mysqlOptions } from './mysql-harness.ts';
import { MySqlStage, outcomeOf, type StoreRun } from './mysql-store-stage.ts';
import { RandomJournalWriter } from './random-journal.ts';
import { ScheduleJournal } from './schedule-journal.ts';
import { everything, shardIds } from './store-harness.ts';

/** A process that takes shards from one that is frozen, or that goes on without knowing it. */
describe.concurrent('a shard in MySQL that somebody else takes', () => {
  /** Opened by nobody who could end it: what a process holds that was stopped in the middle. */
  async function frozen(stage: MySqlStage, { holder }: StoreRun, role: SessionRole): Promise<MySqlSession> {
    const observer = { onSlowStatement: () => {} };
    const session = await openNamedSession({ ...mysqlOptions(stage.url), observer }, holder, role);
    await session.change('START TRANSACTION');
    return session;
  }

  it('is taken at once, though its owner is frozen in the middle of a batch and of a projection', async () => {
    await using stage = await MySqlStage.open();
    const a = await stage.otherRun();
    await a.claim(1, 2);
    const journal = new ScheduleJournal(10, 1);
    journal.hold({ seats: [1] });
    await a.commitNew(journal);
    await a.store.projectAll();

    const batch = await frozen(stage, a, 'commit');
    await batch.change('UPDATE shard SET last_batch = 2 WHERE shard_id IN (1, 2) AND epoch = 1');
    await batch.change("INSERT INTO event_log VALUES (10, 2, 1, 0, 'held', '{}')");
    const projection = await frozen(stage, a, 'projection');
    await projection.rows('SELECT * FROM schedule_projection WHERE schedule_id = 10 FOR UPDATE');
    await projection.change('UPDATE schedule_projection SET projected_seq = 2');

    const b = await stage.otherRun();
    const claim = await outcomeOf(b.claim(1, 2));
    expect(claim.message).toBe('');
    journal.hold({ seats: [2] });
    expect(await b.commitNew(journal)).toBe('committed');
    await b.store.projectAll();
    // Far from the 2 s after which a wait for a row ends.
    expect(claim.tookMs).toBeLessThan(1_900);
    const { image } = await b.store.loadSchedule(journal.scheduleId, everything);
    expect(foldStored({ image, tail: [] })).toEqual(foldJournal(journal.rows()));

    // It thaws: what it had open is gone, and its next batch is refused.
    expect(await outcomeOf(batch.commit())).toMatchObject({ said: 'CommitFault' });
    expect(await outcomeOf(projection.commit())).toMatchObject({ said: 'CommitFault' });
    const late = a.batch(journal.rows().slice(1));
    expect(await a.store.commit(late)).toBe('fenced');
    expect(await a.store.resolveCommit(late)).toEqual({ outcome: 'fenced' });
    expect(await a.store.renewShards(a.holder, shardIds(1, 2))).toEqual([]);
    expect(await stage.rows('SELECT schedule_id, seq FROM event_log')).toEqual([
      [10, 1],
      [10, 2],
    ]);
  });

  it('is projected by both for a while, and comes out as by one', async () => {
    await using stage = await MySqlStage.open();
    const [a, b, other] = [await stage.otherRun(), await stage.otherRun(), await MySqlStage.open()];
    await using alone = other;
    const one = await alone.otherRun();
    await one.claim(1, 2);
    const prng = new Prng(7);
    const journals = Array.from({ length: 6 }, (_, i) => new ScheduleJournal(10 + i, 1 + (i % 2)));
    const writers = journals.map((journal) => new RandomJournalWriter(journal, prng));
    const owners = [a, b];
    for (let round = 0; round < 12; round++) {
      const owner = owners[round % 2]!;
      await owner.claim(1, 2);
      for (const writer of writers) writer.write(prng.between(10, 80));
      const rows = journals.flatMap((journal) => journal.newRows());
      expect(await owner.store.commit(owner.batch(rows))).toBe('committed');
      expect(await one.store.commit(one.batch(rows))).toBe('committed');
      // The one before has not heard of it, and goes on projecting as well.
      await Promise.all([a.store.projectAll(), b.store.projectAll()]);
    }
    await Promise.all([a, b, one].map(({ store }) => store.projectAll()));
    const both = await tables(stage);
    expect(both).toEqual(await tables(alone));
    expect(both['reservation']!.length).toBeGreaterThan(500);
    expect([a, b].flatMap(({ troubles }) => troubles)).toEqual([]);
  });

  const tableNames = ['schedule_projection', 'reservation', 'seat_reservation', 'mark', 'open_payment'];

  async function tables(stage: MySqlStage): Promise<Record<string, unknown[][]>> {
    const found: Record<string, unknown[][]> = {};
    for (const name of tableNames) found[name] = await stage.rows(`SELECT * FROM ${name} ORDER BY 1, 2, 3`);
    return found;
  }

  it('is projected by one at a time: whoever comes second begins where the first has come to', async () => {
    await using stage = await MySqlStage.open();
    const run = await stage.otherRun();
    await run.claim(1);
    const journal = new ScheduleJournal(10, 1);
    journal.hold({ seats: [1] });
    await run.commitNew(journal);
    await run.store.projectAll();
    // Somebody else projects, and is not yet done.
    await stage.shell.query('START TRANSACTION');
    await stage.shell.query('SELECT * FROM schedule_projection WHERE schedule_id = 10 FOR UPDATE');
    journal.hold({ seats: [2] });
    await run.commitNew(journal);
    const projecting = outcomeOf(run.store.projectAll());
    await sleep(400);
    // Nothing was written on what is not known yet.
    const sql = 'SELECT number FROM reservation WHERE schedule_id = 10 AND number = 2 FOR UPDATE NOWAIT';
    expect(await outcomeOf(stage.rows(sql))).toMatchObject({ said: [] });
    await stage.shell.query('ROLLBACK');
    expect(await projecting).toMatchObject({ message: '' });
    expect(await stage.rows('SELECT projected_seq FROM schedule_projection')).toEqual([[2]]);
  });

  it('is projected no further than its journal by one who was fenced', async () => {
    await using stage = await MySqlStage.open();
    const [a, b] = [await stage.otherRun(), await stage.otherRun()];
    await a.claim(1);
    const journal = new ScheduleJournal(10, 1);
    for (let i = 0; i < 50; i++) journal.hold({ seats: [i] });
    await a.commitNew(journal);
    await b.claim(1);
    for (let i = 50; i < 60; i++) journal.hold({ seats: [i] });
    const rows = journal.newRows();
    expect(await a.store.commit(a.batch(rows))).toBe('fenced');
    expect(await b.store.commit(b.batch(rows))).toBe('committed');
    await Promise.all([a.store.projectAll(), b.store.projectAll()]);
    expect(await stage.rows('SELECT projected_seq FROM schedule_projection')).toEqual([[60]]);
    // Nor does it take the events that it did not commit for its own to publish.
    const { rows: toPublish } = await a.store.readUnpublished(1_000);
    expect(toPublish.map(({ seq }) => seq)).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
  });

  it("leaves another process's connections alone that owns none of the shards", async () => {
    await using stage = await MySqlStage.open();
    const [a, b, c] = [await stage.otherRun(), await stage.otherRun(), await stage.otherRun()];
    await a.claim(1);
    await b.claim(2);
    const open = await frozen(stage, b, 'commit');
    await c.claim(1);
    expect(await outcomeOf(open.change('SELECT 1'))).toMatchObject({ message: '' });
    await c.claim(2);
    expect(await outcomeOf(open.change('SELECT 1'))).toMatchObject({ said: 'MySqlFault' });
  });
});
