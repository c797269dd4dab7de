import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { CutPoint } from '../../scripts/servers/mysql-cutting-proxy.ts';
import { type ScheduleId, shardCount, shardOf } from '../../src/actors/allocator/ids.ts';
import type { ShardEpoch } from '../../src/actors/runtime/ports.ts';
import { openNamedSession } from '../../src/mysql/named-session.ts';
import type { MySqlSession } from '../../src/mysql/session.ts';
import { mysqlOptions } from './mysql-harness.ts';
import { MySqlStage, outcomeOf, type StoreRun } from './mysql-store-stage.ts';
import { ScheduleJournal } from './schedule-journal.ts';
import { shardIds } from './store-harness.ts';

const shard = (id: number) => shardIds(id)[0]!;
const at = (id: number, epoch: number): ShardEpoch => ({ shardId: shard(id), epoch });

/** Shards that go from one process to another, and what may go wrong on the way. */
describe.concurrent('a shard in MySQL that is transferred', () => {
  /** What a process holds that was stopped in the middle of a batch of shard 1. */
  async function frozen(stage: MySqlStage, { holder }: StoreRun): Promise<MySqlSession> {
    const observer = { onSlowStatement: () => {} };
    const session = await openNamedSession({ ...mysqlOptions(stage.url), observer }, holder, 'commit');
    await session.change('START TRANSACTION');
    await session.change('UPDATE shard SET last_batch = last_batch + 1 WHERE shard_id = 1');
    return session;
  }

  it('is taken at once, though its owner is frozen in the middle of a batch', async () => {
    await using stage = await MySqlStage.open();
    const [a, b, coordinator] = [await stage.otherRun(), await stage.otherRun(), await stage.otherRun()];
    await a.claim(1, 2);
    const batch = await frozen(stage, a);
    const taken = await outcomeOf(coordinator.store.transferShards([at(2, 1), at(1, 1)], b.holder, 'taken'));
    expect(taken.said).toEqual([at(2, 2), at(1, 2)]);
    // Far from the 2 s after which a wait for a row ends.
    expect(taken.tookMs).toBeLessThan(1_900);
    expect(await outcomeOf(batch.commit())).toMatchObject({ said: 'CommitFault' });
    expect(await stage.rows('SELECT shard_id, epoch, owner, last_batch FROM shard')).toEqual([
      [1, 2, b.holder, 0],
      [2, 2, b.holder, 0],
    ]);
  });

  it('is given without ending anything of its giver', async () => {
    await using stage = await MySqlStage.open();
    const [a, b] = [await stage.otherRun(), await stage.otherRun()];
    await a.claim(1, 2);
    const batch = await frozen(stage, a);
    expect(await b.store.transferShards([at(2, 1)], b.holder, 'given')).toEqual([at(2, 2)]);
    await batch.commit();
    expect(await stage.rows('SELECT last_batch FROM shard WHERE shard_id = 1')).toEqual([[1]]);
    await batch.end();
  });

  it('that is at another epoch is not taken, and its owner goes on undisturbed', async () => {
    await using stage = await MySqlStage.open();
    const [a, b] = [await stage.otherRun(), await stage.otherRun()];
    await a.claim(1, 2);
    const batch = await frozen(stage, a);
    const stale = [at(2, 0), at(2, 7)];
    for (const each of stale) expect(await b.store.transferShards([each], b.holder, 'taken')).toEqual([]);
    await batch.commit();
    await batch.end();
    expect(await stage.rows('SELECT epoch, owner FROM shard')).toEqual([
      [1, a.holder],
      [1, a.holder],
    ]);
  });

  it.each<[CutPoint, string]>([
    ['before-answer', 'after it came'],
    ['before-commit', 'before it came'],
  ])('has gone once, and its giver hears so, though COMMIT was cut off %s', async (point) => {
    await using stage = await MySqlStage.open();
    const a = await stage.run();
    const b = await stage.otherRun();
    await a.claim(1, 2, 3);
    await b.claim(3);
    const gift = [at(2, 1), at(3, 1), at(1, 1), at(9, 0)];
    stage.proxy.cutAtNextCommit(point);
    expect(await a.store.transferShards(gift, b.holder, 'given')).toEqual([at(2, 2), at(1, 2), at(9, 1)]);
    expect(stage.proxy.cuts).toBe(1);
    expect(await b.store.listShards()).toEqual(
      [at(1, 2), at(2, 2), at(3, 2), at(9, 1)].map((each) => ({ ...each, owner: b.holder })),
    );
    expect(await a.store.transferShards(gift, b.holder, 'given')).toEqual([]);
  });

  it('that went to somebody else, where COMMIT had no answer and was never there, has not gone', async () => {
    await using stage = await MySqlStage.open();
    const a = await stage.run();
    const [b, c] = [await stage.otherRun(), await stage.otherRun()];
    await a.claim(1, 2);
    stage.proxy.cutAtNextCommit('before-commit');
    await stage.proxy.refuseConnections(true);
    const gift = outcomeOf(a.store.transferShards([at(1, 1), at(2, 1)], b.holder, 'given'));
    while (stage.proxy.cuts === 0) await sleep(1);
    expect(await c.store.transferShards([at(1, 1)], c.holder, 'taken')).toEqual([at(1, 2)]);
    await stage.proxy.refuseConnections(false);
    expect(await gift).toMatchObject({ said: [at(2, 2)] });
  });

  it('is of unknown outcome where its new owner has gone on before its giver could look', async () => {
    await using stage = await MySqlStage.open();
    const a = await stage.run();
    const b = await stage.otherRun();
    await a.claim(1);
    stage.proxy.cutAtNextCommit('before-answer');
    await stage.proxy.refuseConnections(true);
    const gift = outcomeOf(a.store.transferShards([at(1, 1)], b.holder, 'given'));
    while ((await b.store.renewShards(b.holder, shardIds(1))).length === 0) await sleep(1);
    await stage.proxy.refuseConnections(false);
    expect(await gift).toMatchObject({
      said: 'StoreUnavailable',
      message: /whether shard 1 was transferred/,
    });
    expect(await a.store.listShards()).toEqual([{ ...at(1, 3), owner: b.holder }]);
  });

  it('is of unknown outcome while the server stays away, within its limits', async () => {
    await using stage = await MySqlStage.open();
    const a = await stage.run({ patienceMs: 500 });
    await a.claim(1);
    stage.proxy.cutAtNextCommit('before-answer');
    await stage.proxy.refuseConnections(true);
    const gift = await outcomeOf(a.store.transferShards([at(1, 1)], 'b', 'given'));
    expect(gift).toMatchObject({ said: 'StoreUnavailable' });
    expect(gift.tookMs).toBeLessThan(4_000);
    await stage.proxy.refuseConnections(false);
    expect(await a.store.listShards()).toEqual([{ ...at(1, 2), owner: 'b' }]);
  });

  it('goes to one of those who reach for it at the same time, owned or not', async () => {
    await using stage = await MySqlStage.open();
    const runs = [await stage.otherRun(), await stage.otherRun(), await stage.otherRun()];
    for (let round = 0; round < 12; round++) {
      // In different orders, and half of them for the first time.
      const ids = Array.from({ length: 8 }, (_, i) => round * 4 + i);
      const before = new Map(
        (await runs[0]!.store.listShards()).map(({ shardId, epoch }) => [shardId, epoch]),
      );
      const asked = ids.map((id) => at(id, before.get(shard(id)) ?? 0));
      const orders = [asked, asked.toReversed(), asked.slice(3).concat(asked.slice(0, 3))];
      const won = await Promise.all(
        runs.map(({ store, holder }, i) =>
          store.transferShards(orders[i]!, holder, i === 0 ? 'given' : 'taken'),
        ),
      );
      expect(
        won
          .flat()
          .map(({ shardId }) => shardId)
          .sort((a, b) => a - b),
      ).toEqual(ids);
      const owners = new Map(
        (await runs[0]!.store.listShards()).map(({ shardId, owner }) => [shardId, owner]),
      );
      for (const [i, shards] of won.entries()) {
        for (const { shardId } of shards) expect(owners.get(shardId)).toBe(runs[i]!.holder);
      }
    }
  });
});

describe.concurrent('the journal of a shard in MySQL that is transferred', () => {
  /** Schedules 1 to `count`, as the catalogue has them. */
  async function journalsOf({ store }: StoreRun, count: number): Promise<ScheduleJournal[]> {
    const venueId = await store.createVenue({ name: 'hall', sections: [] });
    const show = { name: 'show', venueId, currency: 'EUR', prices: [], orphanRule: false };
    const performanceId = await store.createPerformance(show);
    const journals: ScheduleJournal[] = [];
    for (let i = 0; i < count; i++) {
      const scheduleId = await store.createSchedule({ performanceId, startsAtMs: i });
      journals.push(new ScheduleJournal(scheduleId, shardOf(scheduleId, shardCount)));
    }
    return journals;
  }

  const unpublished = async ({ store }: StoreRun) =>
    (await store.readUnpublished(1_000)).rows.map(({ scheduleId, seq }) => `${scheduleId}: ${seq}`);
  const logEnds = ({ notices }: StoreRun) =>
    notices.filter(
      (notice) => notice.kind === 'slow-statement' && notice.statement.startsWith('SELECT log_end'),
    );

  it('is published and projected by its new owner from where the old one stopped (I7)', async () => {
    await using stage = await MySqlStage.open();
    const [a, b] = [await stage.otherRun(), await stage.otherRun({ primary: { slowStatementMs: 0 } })];
    const [moved, stays, own] = await journalsOf(a, 3);
    await a.claim(moved!.shardId, stays!.shardId);
    await b.claim(own!.shardId);
    for (const journal of [moved!, stays!, own!]) {
      journal.hold({ seats: [1] });
      journal.hold({ seats: [2] });
    }
    await a.commitNew(moved!, stays!);
    await b.commitNew(own!);
    await a.store.markPublished([{ scheduleId: moved!.scheduleId, seq: 1 }]);
    expect(await unpublished(b)).toEqual(['3: 1', '3: 2']);
    const asked = logEnds(b).length;
    expect(asked).toBeGreaterThan(0);

    const given = await a.store.transferShards([{ shardId: moved!.shardId, epoch: 1 }], b.holder, 'given');
    await b.store.followShards([moved!.shardId]);
    expect(await unpublished(a)).toEqual(['2: 1', '2: 2']);
    expect((await unpublished(b)).toSorted()).toEqual(['1: 2', '3: 1', '3: 2']);
    b.adopt(given);
    moved!.hold({ seats: [3] });
    await b.commitNew(moved!);
    expect((await unpublished(b)).toSorted()).toEqual(['1: 2', '1: 3', '3: 1', '3: 2']);
    await b.store.projectAll();
    expect(
      await stage.rows('SELECT schedule_id, projected_seq FROM schedule_projection WHERE schedule_id = 1'),
    ).toEqual([[1, 3]]);
    // It was not asked about everybody's schedules again.
    expect(logEnds(b).length).toBe(asked);
  });

  it('is followed by whoever takes it for himself, and by him to whom it comes back', async () => {
    await using stage = await MySqlStage.open();
    const [a, b] = [await stage.otherRun(), await stage.otherRun()];
    const [journal] = await journalsOf(a, 1);
    await a.claim(journal!.shardId);
    journal!.hold({ seats: [1] });
    await a.commitNew(journal!);
    expect(await unpublished(a)).toEqual(['1: 1']);
    const runs = [b, a, b, a];
    for (const [i, run] of runs.entries()) {
      const epoch = [{ shardId: journal!.shardId, epoch: i + 1 }];
      run.adopt(await run.store.transferShards(epoch, run.holder, 'taken'));
      journal!.hold({ seats: [i + 2] });
      expect(await run.commitNew(journal!)).toBe('committed');
      const seqs = journal!.events.map(({ seq }) => `1: ${seq}`);
      expect(await unpublished(run)).toEqual(seqs);
      const other = run === a ? b : a;
      // The one before learns of it when its epoch is refused, and follows it no further.
      await other.store.renewShards(other.holder, [journal!.shardId]);
      expect(await unpublished(other)).toEqual([]);
    }
  });

  it('is known to nobody by halves: what is committed while the database is asked is published once it is', async () => {
    await using stage = await MySqlStage.open();
    const [a, b] = [await stage.otherRun(), await stage.run()];
    const journals = await journalsOf(a, 20);
    await a.claim(...new Set(journals.map(({ shardId }) => shardId as number)));
    for (const journal of journals) journal.hold({ seats: [1] });
    await a.commitNew(...journals);
    expect(await unpublished(b)).toEqual([]);
    stage.proxy.delayAnswersMs = 20;
    const shards = (await a.store.listShards()).map(({ shardId, epoch }) => ({ shardId, epoch }));
    let isOver = false;
    const told: string[][] = [];
    const reading = (async () => {
      while (!isOver) told.push(await unpublished(b));
    })();
    for (const { shardId, epoch } of shards) {
      const given = await a.store.transferShards([{ shardId, epoch }], b.holder, 'given');
      await b.store.followShards([shardId]);
      b.adopt(given);
      const theirs = journals.filter((journal) => journal.shardId === shardId);
      for (const journal of theirs) journal.hold({ seats: [2] });
      await b.commitNew(...theirs);
    }
    isOver = true;
    await reading;
    expect(told.length).toBeGreaterThan(shards.length / 4);
    // Whatever was read at any time begins with the first event of its schedule.
    for (const rows of told) {
      for (const journal of journals) {
        const seqs = rows.filter((row) => row.startsWith(`${journal.scheduleId}: `));
        expect([
          [],
          [`${journal.scheduleId}: 1`],
          [1, 2].map((seq) => `${journal.scheduleId}: ${seq}`),
        ]).toContainEqual(seqs);
      }
    }
    stage.proxy.delayAnswersMs = 0;
    const all = journals.flatMap(({ scheduleId }) => [1, 2].map((seq) => `${scheduleId}: ${seq}`));
    expect((await unpublished(b)).toSorted()).toEqual(all.toSorted());
    expect(await unpublished(a)).toEqual([]);
  });

  it('is all of its schedules, and none of others, out of thousands', async () => {
    await using stage = await MySqlStage.open();
    const run = await stage.otherRun();
    const ids = Array.from({ length: 5_000 }, (_, i) => i + 1);
    await journalsOf(run, 1);
    await stage.shell.query(
      `INSERT INTO schedule VALUES ${ids.slice(1).map((id) => `(${id}, 1, ${id}, NULL, 'x')`)}`,
    );
    await stage.shell.query("UPDATE catalog_counter SET last_id = 5000 WHERE name = 'schedule'");
    await stage.shell.query(
      `INSERT INTO event_log VALUES ${ids.map((id) => `(${id}, 1, ${shardOf(id as ScheduleId, shardCount)}, 0, 'held', '{}')`)}`,
    );
    expect(await unpublished(run)).toEqual([]);
    const mine = shard(7);
    await run.store.followShards([mine]);
    const rows = (await run.store.readUnpublished(1_000)).rows;
    const expected = ids.filter((id) => shardOf(id as ScheduleId, shardCount) === mine);
    expect(rows.map(({ scheduleId }) => scheduleId).toSorted((a, b) => a - b)).toEqual(expected);
  });
});
