import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ScheduleId } from '../../src/actors/allocator/ids.ts';
import type { EventOutbox, JournalTrim } from '../../src/actors/runtime/event-outbox.ts';
import { type Store, StoreUnavailable } from '../../src/actors/runtime/ports.ts';
import { Prng } from '../simulation/prng.ts';
import { foldJournal, foldStored } from './journal-fold.ts';
import { RandomJournalWriter } from './random-journal.ts';
import { ScheduleJournal, testStartMs } from './schedule-journal.ts';
import { batchOf, Committer, everything, type StoreHarness } from './store-harness.ts';

/** What is published, what is trimmed, and what is left of a schedule then. */
export function outboxContract(makeHarness: () => StoreHarness): void {
  let harness: StoreHarness;
  let store: Store & EventOutbox;
  let committer: Committer;

  const openAgain = async () => {
    store = await harness.open();
    committer = new Committer(store);
    await committer.claim(1, 2, 3);
  };
  beforeEach(async () => {
    harness = makeHarness();
    await openAgain();
  });
  afterEach(async () => {
    await store.close();
    harness.dispose();
  });

  const commitNew = (...journals: ScheduleJournal[]) =>
    committer.commit(...journals.flatMap((journal) => journal.newRows()));
  /** Of holds, one second apart from `testStartMs` on. */
  const journalOf = (scheduleId: number, holds: number) => {
    const journal = new ScheduleJournal(scheduleId, 1);
    for (let seat = 0; seat < holds; seat++) {
      journal.hold({ seats: [seat] });
      journal.nowMs += 1000;
    }
    return journal;
  };
  const read = async (eventsMax = 1000) => (await store.readUnpublished(eventsMax)).rows;
  const readIds = async (eventsMax = 1000) =>
    (await read(eventsMax)).map(({ scheduleId, seq }) => `${scheduleId}-${seq}`);
  const backlog = async () => (await store.readUnpublished(0)).backlogEvents;
  const mark = (scheduleId: number, seq: number) =>
    store.markPublished([{ scheduleId: scheduleId as ScheduleId, seq }]);

  describe('readUnpublished', () => {
    it('is empty when nothing waits', async () => {
      expect(await store.readUnpublished(10)).toEqual({ rows: [], backlogEvents: 0 });
    });

    it('gives what was committed row for row, and again until it is marked', async () => {
      const journal = journalOf(7, 3);
      await commitNew(journal);
      for (let time = 0; time < 2; time++) {
        expect(await store.readUnpublished(10)).toEqual({ rows: journal.rows(), backlogEvents: 3 });
      }
      await mark(7, 2);
      expect(await store.readUnpublished(10)).toEqual({ rows: journal.rows().slice(2), backlogEvents: 1 });
      await mark(7, 3);
      expect(await store.readUnpublished(10)).toEqual({ rows: [], backlogEvents: 0 });
    });

    it('gives at most so many, and counts them all', async () => {
      await commitNew(journalOf(7, 5), journalOf(8, 5));
      expect(await store.readUnpublished(0)).toEqual({ rows: [], backlogEvents: 10 });
      expect(await readIds(1)).toEqual(['7-1']);
      expect(await readIds(7)).toEqual(['7-1', '7-2', '7-3', '7-4', '7-5', '8-1', '8-2']);
      expect(await backlog()).toBe(10);
    });

    it('begins with the schedule that waited longest: one that was marked waits behind the others', async () => {
      await commitNew(journalOf(9, 3));
      await commitNew(journalOf(8, 2));
      await mark(9, 1);
      expect(await readIds()).toEqual(['8-1', '8-2', '9-2', '9-3']);
      await commitNew(journalOf(7, 1));
      await mark(8, 1);
      expect(await readIds(3)).toEqual(['9-2', '9-3', '7-1']);
    });

    it('a schedule that is marked where it was lets the others go first, and loses nothing', async () => {
      await commitNew(journalOf(8, 2));
      await commitNew(journalOf(9, 2));
      await mark(8, 0);
      expect(await readIds()).toEqual(['9-1', '9-2', '8-1', '8-2']);
      await mark(9, 0);
      expect(await readIds()).toEqual(['8-1', '8-2', '9-1', '9-2']);
      expect(await backlog()).toBe(4);
    });

    it('knows what came after a mark', async () => {
      const journal = journalOf(7, 2);
      await commitNew(journal);
      await mark(7, 2);
      journal.cancel(1 as never);
      await commitNew(journal);
      expect(await store.readUnpublished(10)).toEqual({ rows: journal.rows().slice(2), backlogEvents: 1 });
    });

    it.each([1, 2, 3])('published in pieces of any size it is the journal (seed %i)', async (seed) => {
      const prng = new Prng(seed);
      const journals = [
        new ScheduleJournal(10, 1),
        new ScheduleJournal(20, 2),
        new ScheduleJournal(2 ** 52, 3),
      ];
      const writers = journals.map((journal) => new RandomJournalWriter(journal, prng));
      const published = new Map<number, unknown[]>(journals.map(({ scheduleId }) => [scheduleId, []]));
      const count = () => [...published.values()].reduce((sum, rows) => sum + rows.length, 0);
      for (let round = 0; round < 40; round++) {
        if (round < 20) {
          for (const writer of writers) writer.write(prng.below(15));
          await commitNew(...journals);
        }
        if (prng.chance(0.2)) await store.projectAll();
        if (prng.chance(0.1)) {
          await store.close();
          await openAgain();
        }
        const { rows, backlogEvents } = await store.readUnpublished(prng.between(1, 60));
        const committed = journals.reduce((sum, { events }) => sum + events.length, 0);
        expect(backlogEvents).toBe(committed - count());
        const sent = prng.chance(0.3) ? rows.slice(0, prng.below(rows.length + 1)) : rows;
        for (const row of sent) published.get(row.scheduleId)!.push(row);
        await store.markPublished(sent.map(({ scheduleId, seq }) => ({ scheduleId, seq })));
      }
      while (count() < journals.reduce((sum, { events }) => sum + events.length, 0)) {
        const rows = await read(100);
        expect(rows.length).toBeGreaterThan(0);
        for (const row of rows) published.get(row.scheduleId)!.push(row);
        await store.markPublished(rows.map(({ scheduleId, seq }) => ({ scheduleId, seq })));
      }
      for (const journal of journals) expect(published.get(journal.scheduleId)).toEqual(journal.rows());
      expect(await store.readUnpublished(10)).toEqual({ rows: [], backlogEvents: 0 });
    });

    it('has a batch whose commit was lost and found (resolveCommit)', async () => {
      const journal = journalOf(7, 3);
      const shards = await store.claimShards('a', [journal.shardId]);
      const batch = batchOf(1, shards, journal.rows());
      // Somebody else's connection: this store does not hear what became of it.
      const other = await harness.open();
      expect(await other.commit(batch)).toBe('committed');
      await other.close();
      expect((await store.resolveCommit(batch)).outcome).toBe('committed');
      expect(await store.readUnpublished(10)).toEqual({ rows: journal.rows(), backlogEvents: 3 });
    });

    it('has nothing of a batch that was not committed', async () => {
      const journal = journalOf(7, 3);
      const shards = await store.claimShards('a', [journal.shardId]);
      expect((await store.resolveCommit(batchOf(1, shards, journal.rows()))).outcome).toBe('not-committed');
      const stale = await store.commit(batchOf(2, shards, journal.rows()));
      expect(stale).toBe('fenced');
      expect(await store.readUnpublished(10)).toEqual({ rows: [], backlogEvents: 0 });
    });
  });

  describe('markPublished', () => {
    it('survives close and open', async () => {
      await commitNew(journalOf(7, 4), journalOf(8, 2));
      await store.markPublished([
        { scheduleId: 7 as ScheduleId, seq: 3 },
        { scheduleId: 8 as ScheduleId, seq: 2 },
      ]);
      await store.close();
      await openAgain();
      expect(await readIds()).toEqual(['7-4']);
      expect(await backlog()).toBe(1);
    });

    it('never goes back', async () => {
      await commitNew(journalOf(7, 4));
      await mark(7, 3);
      await mark(7, 1);
      expect(await readIds()).toEqual(['7-4']);
      await store.close();
      await openAgain();
      expect(await readIds()).toEqual(['7-4']);
    });

    it('does not hinder the projection, whichever comes first', async () => {
      const journals = [journalOf(7, 3), journalOf(8, 3)];
      await commitNew(...journals);
      await mark(7, 3);
      await store.projectAll();
      await mark(8, 2);
      for (const journal of journals) {
        const stored = await store.loadSchedule(journal.scheduleId, everything);
        expect(stored.image.projectedSeq).toBe(3);
        expect(foldStored(stored)).toEqual(foldJournal(journal.rows()));
      }
      expect(await readIds()).toEqual(['8-3']);
    });
  });

  describe('trimJournal', () => {
    const trim = (over: Partial<JournalTrim> = {}) =>
      store.trimJournal({
        afterScheduleId: 0,
        beforeMs: Number.MAX_SAFE_INTEGER,
        rowsMax: 1000,
        isPublishing: true,
        ...over,
      });
    const published = async (...journals: ScheduleJournal[]) => {
      await commitNew(...journals);
      await store.projectAll();
      await store.markPublished(
        journals.map(({ scheduleId, events }) => ({ scheduleId, seq: events.length })),
      );
    };

    it('names no schedule where there is none', async () => {
      expect(await trim()).toEqual({ scheduleId: undefined, deleted: 0 });
      await published(journalOf(7, 1));
      expect(await trim({ afterScheduleId: 7 })).toEqual({ scheduleId: undefined, deleted: 0 });
    });

    it('deletes what is older than beforeMs, and nothing else', async () => {
      await published(journalOf(7, 5));
      const thirdAtMs = testStartMs + 2000;
      expect(await trim({ beforeMs: testStartMs })).toEqual({ scheduleId: 7, deleted: 0 });
      expect(await trim({ beforeMs: thirdAtMs })).toEqual({ scheduleId: 7, deleted: 2 });
      expect(await trim({ beforeMs: thirdAtMs })).toEqual({ scheduleId: 7, deleted: 0 });
      expect(await trim()).toEqual({ scheduleId: 7, deleted: 3 });
      expect(await trim()).toEqual({ scheduleId: undefined, deleted: 0 });
    });

    it('keeps what is not published, while somebody publishes', async () => {
      const journal = journalOf(7, 5);
      await commitNew(journal);
      await store.projectAll();
      expect(await trim()).toEqual({ scheduleId: 7, deleted: 0 });
      await mark(7, 2);
      expect(await trim()).toEqual({ scheduleId: 7, deleted: 2 });
      expect(await store.readUnpublished(10)).toEqual({ rows: journal.rows().slice(2), backlogEvents: 3 });
    });

    it.each([true, false])('keeps what is not projected (isPublishing %s)', async (isPublishing) => {
      const journal = journalOf(7, 3);
      journal.hold({ seats: [0] }); // taken: the projection goes no further
      journal.hold({ seats: [9] });
      await commitNew(journal);
      await mark(7, 5);
      await expect(store.projectAll()).rejects.toThrow(StoreUnavailable);
      const { image } = await store.loadSchedule(journal.scheduleId, everything);
      expect(await trim({ isPublishing })).toEqual({ scheduleId: 7, deleted: image.projectedSeq });
      const { tail } = await store.loadSchedule(journal.scheduleId, everything);
      expect([...tail]).toEqual(journal.rows().slice(image.projectedSeq));
    });

    it('counts what it deletes as published when nobody publishes, for good', async () => {
      const journal = journalOf(7, 5);
      await commitNew(journal, journalOf(8, 1));
      await store.projectAll();
      const fourthAtMs = testStartMs + 3000;
      expect(await trim({ beforeMs: fourthAtMs, isPublishing: false })).toEqual({
        scheduleId: 7,
        deleted: 3,
      });
      expect(await backlog()).toBe(3);
      const left = ['7-4', '7-5', '8-1'];
      expect((await readIds()).sort()).toEqual(left);
      await store.close();
      await openAgain();
      expect((await readIds()).sort()).toEqual(left);
      expect(await backlog()).toBe(3);
      expect(await trim({ beforeMs: fourthAtMs })).toEqual({ scheduleId: 7, deleted: 0 });
    });

    it('a published position stays ahead of what is deleted when nobody publishes', async () => {
      await published(journalOf(7, 5));
      await trim({ isPublishing: false, rowsMax: 2 });
      await store.close();
      await openAgain();
      expect(await readIds()).toEqual([]);
    });

    it('deletes at most rowsMax a call', async () => {
      await published(journalOf(7, 5));
      const deleted = [];
      for (let call = 0; call < 4; call++) deleted.push((await trim({ rowsMax: 2 })).deleted);
      expect(deleted).toEqual([2, 2, 1, 0]);
    });

    it('goes round the schedules by afterScheduleId', async () => {
      await published(journalOf(2 ** 52, 1), journalOf(9, 3), journalOf(10, 2));
      const round = [];
      for (let afterScheduleId = 0; ; ) {
        const step = await trim({ afterScheduleId, rowsMax: 2 });
        round.push([step.scheduleId, step.deleted]);
        if (step.scheduleId === undefined) break;
        if (step.deleted < 2) afterScheduleId = step.scheduleId;
      }
      expect(round).toEqual([
        [9, 2],
        [9, 1],
        [10, 2],
        [2 ** 52, 1],
        [undefined, 0],
      ]);
    });

    it.each([1, 2, 3])(
      'leaves a schedule whole: recovery, projection and publishing go on (seed %i)',
      async (seed) => {
        const prng = new Prng(seed);
        const journal = new ScheduleJournal(7, 1);
        const writer = new RandomJournalWriter(journal, prng);
        const whole = async () =>
          expect(foldStored(await store.loadSchedule(journal.scheduleId, everything))).toEqual(
            foldJournal(journal.rows()),
          );
        for (let round = 0; round < 8; round++) {
          writer.write(prng.between(5, 30));
          await published(journal);
          const rowsMax = prng.chance(0.5) ? 1000 : prng.between(1, journal.events.length);
          expect((await trim({ rowsMax })).deleted).toBeGreaterThan(0);
          await whole();
          await store.close();
          await openAgain();
          await whole();
          expect(await store.readUnpublished(10)).toEqual({ rows: [], backlogEvents: 0 });
          const before = journal.events.length;
          writer.write(prng.between(1, 5));
          await commitNew(journal);
          await whole();
          expect(await read()).toEqual(journal.rows().slice(before));
        }
      },
    );
  });

  it('is refused when the store is closed', async () => {
    await store.close();
    await expect(store.readUnpublished(1)).rejects.toThrow(StoreUnavailable);
    await expect(mark(7, 1)).rejects.toThrow(StoreUnavailable);
    const trim = { afterScheduleId: 0, beforeMs: 1, rowsMax: 1, isPublishing: true };
    await expect(store.trimJournal(trim)).rejects.toThrow(StoreUnavailable);
  });
}
