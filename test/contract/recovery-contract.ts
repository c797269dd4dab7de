import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Store, StoreUnavailable } from '../../src/actors/runtime/ports.ts';
import { Prng } from '../simulation/prng.ts';
import { foldJournal, foldStored } from './journal-fold.ts';
import { RandomJournalWriter } from './random-journal.ts';
import { ScheduleJournal, testStartMs } from './schedule-journal.ts';
import { Committer, everything, type StoreHarness, scheduleIds } from './store-harness.ts';

const dayMs = 24 * 60 * 60 * 1000;

/** What a new owner reads: image and tail, whatever the projection has come to. */
export function recoveryContract(makeHarness: () => StoreHarness<Store>): void {
  let harness: StoreHarness<Store>;
  let store: Store;
  let committer: Committer;
  let journal: ScheduleJournal;

  beforeEach(async () => {
    harness = makeHarness();
    store = await harness.open();
    committer = new Committer(store);
    await committer.claim(1, 2, 3);
    journal = new ScheduleJournal(10, 1);
  });
  afterEach(async () => {
    await store.close();
    harness.dispose();
  });

  const load = (since = everything) => store.loadSchedule(journal.scheduleId, since);
  const commitNew = () => committer.commit(...journal.newRows());

  describe('loadSchedule', () => {
    it('knows nothing of a schedule without events', async () => {
      const { image, tail } = await load();
      expect(tail).toEqual([]);
      expect(foldStored({ image, tail })).toEqual(foldJournal([]));
    });

    it('gives the journal back row for row, with numbers up to 2^53', async () => {
      const fingerprint = Number.MAX_SAFE_INTEGER;
      journal.hold({ userId: 'ann', totalMinor: Number.MAX_SAFE_INTEGER, mark: { key: "k'1", fingerprint } });
      await commitNew();
      const { image, tail } = await load();
      expect([...tail]).toEqual(image.projectedSeq === 0 ? journal.rows() : []);
      await store.projectAll();
      expect(foldStored(await load())).toEqual(foldJournal(journal.rows()));
    });

    it.each([1, 2, 3, 4])('image and tail together are the journal, at any time (seed %i)', async (seed) => {
      const prng = new Prng(seed);
      const journals = [journal, new ScheduleJournal(20, 1), new ScheduleJournal(2 ** 52, 3)];
      const writers = journals.map((each) => new RandomJournalWriter(each, prng));
      for (let round = 0; round < 12; round++) {
        for (const writer of writers) writer.write(prng.below(60));
        await committer.commit(...journals.flatMap((each) => each.newRows()));
        if (prng.chance(0.2)) await store.projectAll();
        for (const each of journals) {
          const stored = await store.loadSchedule(each.scheduleId, everything);
          const tailSeqs = stored.tail.map(({ seq }) => seq);
          const expectedSeqs = each.events
            .map(({ seq }) => seq)
            .filter((seq) => seq > stored.image.projectedSeq);
          expect(tailSeqs).toEqual(expectedSeqs);
          expect(foldStored(stored)).toEqual(foldJournal(each.rows()));
        }
      }
    });

    it('leaves out reservations that ended before endedSinceMs, never live ones', async () => {
      const [early, late, live] = [0, 1, 2].map((seat) => journal.hold({ seats: [seat] }));
      journal.nowMs += 1000;
      journal.cancel(early!);
      journal.nowMs += 1000;
      journal.expire(late!);
      const endedAtMs = journal.nowMs;
      await commitNew();
      await store.projectAll();
      const numbers = async (endedSinceMs: number) => {
        const { image } = await load({ ...everything, endedSinceMs });
        return [...image.reservations.number];
      };
      expect(await numbers(0)).toEqual([early, late, live]);
      expect(await numbers(endedAtMs)).toEqual([late, live]);
      expect(await numbers(endedAtMs + 1)).toEqual([live]);
      expect((await load({ ...everything, endedSinceMs: endedAtMs + 1 })).image.lastReservationNumber).toBe(
        live,
      );
    });

    it('leaves out marks made before markedSinceMs', async () => {
      journal.hold({ seats: [0], mark: { key: 'first', fingerprint: 1 } });
      journal.nowMs += 1000;
      const markedSinceMs = journal.nowMs;
      journal.hold({ seats: [1], mark: { key: 'second', fingerprint: 2 } });
      await commitNew();
      await store.projectAll();
      expect((await load()).image.marks.key).toEqual(['first', 'second']);
      expect((await load({ ...everything, markedSinceMs })).image.marks.key).toEqual(['second']);
    });

    it('remembers an extension under the user of its reservation', async () => {
      const number = journal.hold({ userId: 'bob' });
      journal.extend(number, testStartMs + 900_000, { key: 'more time', fingerprint: 77 });
      await commitNew();
      await store.projectAll();
      const { marks } = (await load()).image;
      expect(marks.count).toBe(1);
      expect([marks.userId[0], marks.key[0], marks.number[0], marks.kind[0]]).toEqual([
        'bob',
        'more time',
        1,
        1,
      ]);
    });

    it('keeps marks for 24 hours at least', async () => {
      journal.hold({ seats: [0], mark: { key: 'old', fingerprint: 1 } });
      journal.nowMs += dayMs;
      journal.block(5);
      await commitNew();
      await store.projectAll();
      expect((await load({ ...everything, markedSinceMs: testStartMs })).image.marks.key).toEqual(['old']);
    });
  });

  describe('schedulesWithOpenWork', () => {
    it('lists a schedule while a hold is open, projected or not', async () => {
      const number = journal.hold();
      await commitNew();
      expect(await store.schedulesWithOpenWork()).toEqual([journal.scheduleId]);
      await store.projectAll();
      expect(await store.schedulesWithOpenWork()).toEqual([journal.scheduleId]);
      journal.expire(number);
      await commitNew();
      await store.projectAll();
      expect(await store.schedulesWithOpenWork()).toEqual([]);
    });

    it('counts holds: one of two that ended leaves it open', async () => {
      const [first] = [journal.hold({ seats: [0] }), journal.hold({ seats: [1] })];
      journal.cancel(first);
      await commitNew();
      await store.projectAll();
      expect(await store.schedulesWithOpenWork()).toEqual([journal.scheduleId]);
    });

    it('does not list a schedule that only has blocked seats', async () => {
      journal.block(1, 2);
      await commitNew();
      await store.projectAll();
      expect(await store.schedulesWithOpenWork()).toEqual([]);
    });

    it('finds it after a restart as well', async () => {
      journal.hold();
      await commitNew();
      await store.close();
      store = await harness.open();
      expect(await store.schedulesWithOpenWork()).toEqual([journal.scheduleId]);
    });
  });

  describe('what was committed', () => {
    it('is all there after close and open', async () => {
      const prng = new Prng(99);
      const writer = new RandomJournalWriter(journal, prng);
      for (let round = 0; round < 5; round++) {
        writer.write(40);
        await commitNew();
        await store.close();
        store = await harness.open();
        committer = new Committer(store);
        await committer.claim(1);
        expect(foldStored(await load())).toEqual(foldJournal(journal.rows()));
      }
    });

    it('is refused when the store is closed', async () => {
      const shards = await store.claimShards('a', []);
      await store.close();
      await expect(store.commit({ batchNumber: 1, shards, rows: [] })).rejects.toThrow(StoreUnavailable);
      await expect(load()).rejects.toThrow(StoreUnavailable);
      await expect(store.listVenues(0)).rejects.toThrow(StoreUnavailable);
    });
  });

  describe('loadTail', () => {
    const tail = (afterSeq: number) => store.loadTail(journal.scheduleId, afterSeq);

    it('is the journal after a seq, projected or not', async () => {
      expect(await tail(0)).toEqual([]);
      for (let seat = 0; seat < 5; seat++)
        journal.hold({ seats: [seat], mark: { key: `k-${seat}`, fingerprint: 1 } });
      const other = new ScheduleJournal(20, 1);
      other.hold();
      await committer.commit(...other.newRows(), ...journal.newRows());
      for (const step of ['at once', 'projected', 'restarted']) {
        if (step === 'projected') await store.projectAll();
        if (step === 'restarted') {
          await store.close();
          store = await harness.open();
        }
        for (const afterSeq of [0, 2, 4]) {
          expect(await tail(afterSeq), step).toEqual(journal.rows().slice(afterSeq));
        }
        expect(await tail(5)).toEqual([]);
        expect(await tail(9)).toEqual([]);
      }
    });

    it('is all that was committed before the call, also by an owner that came since', async () => {
      const { image } = await load();
      for (let seat = 0; seat < 20; seat++) {
        journal.hold({ seats: [seat] });
        await committer.claim(1);
        await commitNew();
        expect((await tail(image.projectedSeq)).at(-1)).toEqual(journal.rows().at(-1));
      }
    });

    it('is refused when the store is closed', async () => {
      await store.close();
      await expect(tail(0)).rejects.toThrow(StoreUnavailable);
    });
  });

  describe('a journal that cannot be: the projection stops before it and the journal goes on', () => {
    const broken: readonly [string, (journal: ScheduleJournal) => void][] = [
      ['a seat held twice (I1)', (each) => each.hold({ userId: 'eve', seats: [3, 1] })],
      ['a held seat blocked (I1)', (each) => each.block(1)],
      ['a free seat unblocked', (each) => each.unblock(9)],
      ['an unknown reservation cancelled', (each) => each.cancel(44 as never)],
      ['an unknown reservation extended', (each) => each.extend(44 as never, 1)],
    ];

    it.each(broken)('%s', async (_name, breakIt) => {
      journal.hold({ userId: 'ann', seats: [1] });
      breakIt(journal);
      journal.hold({ userId: 'ann', seats: [2] });
      const healthy = new ScheduleJournal(20, 2);
      healthy.hold();
      await committer.commit(...journal.newRows(), ...healthy.newRows());
      await expect(store.projectAll()).rejects.toThrow(StoreUnavailable);

      const stored = await load();
      expect(stored.image.projectedSeq).toBeLessThan(2);
      expect(stored.image.projectedSeq + stored.tail.length).toBe(3);
      expect((await store.loadSchedule(healthy.scheduleId, everything)).image.projectedSeq).toBe(1);
      expect(await store.schedulesWithOpenWork()).toContain(journal.scheduleId);
      journal.hold({ seats: [3] });
      await commitNew();
      expect((await load()).tail.at(-1)).toEqual(journal.rows().at(-1));
    });

    it('an ended reservation cannot end again', async () => {
      const number = journal.hold();
      journal.cancel(number);
      journal.expire(number);
      await commitNew();
      await expect(store.projectAll()).rejects.toThrow(/reservation 1 has ended already/);
    });

    it('a gap in seq (I6)', async () => {
      journal.hold({ seats: [0] });
      journal.hold({ seats: [1] });
      journal.hold({ seats: [2] });
      const [first, , third] = journal.rows();
      await committer.commit(first!, third!);
      await expect(store.projectAll()).rejects.toThrow(StoreUnavailable);
      const { image, tail } = await load();
      expect(image.projectedSeq).toBeLessThan(2);
      expect(tail.at(-1)).toEqual(third);
    });
  });

  it('projects many schedules', async () => {
    const ids = scheduleIds(...Array.from({ length: 300 }, (_, i) => i + 1));
    const rows = ids.flatMap((id) => {
      const each = new ScheduleJournal(id, 1);
      each.cancel(each.hold());
      return each.rows();
    });
    await committer.commit(...rows);
    await store.projectAll();
    expect(await store.schedulesWithOpenWork()).toEqual([]);
    expect((await store.loadSchedule(ids.at(-1)!, everything)).image.projectedSeq).toBe(2);
  });
}
