import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ReservationNumber, ScheduleId, UserId } from '../../src/actors/allocator/ids.ts';
import type { ReservationQuery, Store, StoredReservation } from '../../src/actors/runtime/ports.ts';
import { ScheduleJournal, testStartMs } from './schedule-journal.ts';
import { Committer, type StoreHarness } from './store-harness.ts';

const ann = 'ann' as UserId;

/** What people browse. */
export function queriesContract(makeHarness: () => StoreHarness<Store>): void {
  let harness: StoreHarness<Store>;
  let store: Store;
  let journals: ScheduleJournal[];

  beforeEach(async () => {
    harness = makeHarness();
    store = await harness.open();
    const committer = new Committer(store);
    await committer.claim(1);
    // Three schedules whose reservations share their times; every third is somebody else's.
    journals = [10, 20, 30].map((id) => new ScheduleJournal(id, 1));
    for (const journal of journals) {
      for (let i = 0; i < 12; i++) {
        journal.nowMs = testStartMs + 1000 * Math.floor(i / 4);
        journal.hold({ userId: i % 3 === 2 ? 'bob' : 'ann', seats: [2 * i + 1, 2 * i] });
      }
      journal.nowMs += 1;
      journal.cancel(1 as ReservationNumber);
      journal.expire(4 as ReservationNumber);
      sellTo(journal);
    }
    await committer.commit(...journals.flatMap((journal) => journal.newRows()));
    await store.projectAll();
  });
  afterEach(async () => {
    await store.close();
    harness.dispose();
  });

  const position = ({ heldAtMs, scheduleId, number }: StoredReservation) => [heldAtMs, scheduleId, number];

  async function walk(query: ReservationQuery): Promise<StoredReservation[]> {
    const found: StoredReservation[] = [];
    for (;;) {
      const last = found.at(-1);
      const page = await store.listReservations(last === undefined ? query : { ...query, after: last });
      expect(page.reservations.length).toBeLessThanOrEqual(query.limit);
      found.push(...page.reservations);
      if (!page.hasMore) return found;
      expect(page.reservations.length).toBe(query.limit);
    }
  }

  describe('listReservations', () => {
    it.each([1, 3, 7, 24, 100])('pages of %i: newest first, no gap, no repeat', async (limit) => {
      const found = await walk({ userId: ann, limit });
      expect(found.length).toBe(24);
      const positions = found.map(position);
      const descending = [...positions].sort(
        ([a1, a2, a3], [b1, b2, b3]) => b1! - a1! || b2! - a2! || b3! - a3!,
      );
      expect(positions).toEqual(descending);
      expect(new Set(positions.map(String)).size).toBe(24);
      expect(new Set(found.map(({ userId }) => userId))).toEqual(new Set(['ann']));
    });

    it('of one schedule, with the seq that it shows', async () => {
      const scheduleId = 20 as ScheduleId;
      const found = await walk({ userId: ann, scheduleId, limit: 3 });
      expect(found.map(({ number }) => number)).toEqual([11, 10, 8, 7, 5, 4, 2, 1]);
      expect(new Set(found.map((each) => each.scheduleId))).toEqual(new Set([scheduleId]));
      expect((await store.listReservations({ userId: ann, scheduleId, limit: 3 })).asOfSeq).toBe(21);
    });

    it('says seq 0 of a schedule that it knows nothing of, and none when none was asked for', async () => {
      const unknown = await store.listReservations({ userId: ann, scheduleId: 99 as ScheduleId, limit: 3 });
      expect(unknown).toEqual({ reservations: [], hasMore: false, asOfSeq: 0 });
      expect(await store.listReservations({ userId: ann, limit: 3 })).not.toHaveProperty('asOfSeq');
    });

    it.each([
      ['HELD', 9],
      ['PAYING', 3],
      ['CANCELLED', 3],
      ['EXPIRED', 6],
      ['PAID', 3],
    ] as const)('with status %s', async (status, count) => {
      const found = await walk({ userId: ann, status, limit: 2 });
      expect(found.map((each) => each.status)).toEqual(new Array(count).fill(status));
    });

    it('of one schedule with one status', async () => {
      const found = await walk({ userId: ann, status: 'EXPIRED', scheduleId: 30 as ScheduleId, limit: 1 });
      expect(found.map(position)).toEqual([
        [testStartMs + 1000, 30, 8],
        [testStartMs, 30, 4],
      ]);
    });

    it('knows nothing of a stranger', async () => {
      const page = await store.listReservations({ userId: 'eve' as UserId, limit: 10 });
      expect(page).toEqual({ reservations: [], hasMore: false });
    });
  });

  describe('findReservation', () => {
    it('gives every field', async () => {
      const found = await store.findReservation(10 as ScheduleId, 1 as ReservationNumber);
      expect(found).toEqual({
        scheduleId: 10,
        number: 1,
        userId: 'ann',
        status: 'CANCELLED',
        seats: [1, 0],
        totalMinor: 5000,
        heldAtMs: testStartMs,
        expiresAtMs: testStartMs + 300_000,
        endedAtMs: testStartMs + 2001,
        seq: 13,
        paymentSeq: 0,
        paidAtMs: 0,
      });
    });

    it('tells of the payment that is under way, made, or still open though the seats are gone', async () => {
      const find = (number: number) => store.findReservation(10 as ScheduleId, number as ReservationNumber);
      const at = { endedAtMs: 0, paidAtMs: 0 };
      expect(await find(5)).toMatchObject({ ...at, status: 'PAYING', paymentSeq: 15, seq: 15 });
      expect(await find(7)).toMatchObject({
        ...at,
        status: 'PAID',
        paymentSeq: 16,
        paidAtMs: testStartMs + 2002,
        seq: 20,
      });
      expect(await find(8)).toMatchObject({ status: 'EXPIRED', paymentSeq: 17, paidAtMs: 0, seq: 21 });
      expect(await find(10)).toMatchObject({ ...at, status: 'HELD', paymentSeq: 0, seq: 19 });
    });

    it('is undefined when there is none', async () => {
      expect(await store.findReservation(10 as ScheduleId, 13 as ReservationNumber)).toBeUndefined();
      expect(await store.findReservation(11 as ScheduleId, 1 as ReservationNumber)).toBeUndefined();
    });
  });
}

/** Of Ann's holds one is being paid for, one is paid, one was paid for too slowly, and one in vain. */
function sellTo(journal: ScheduleJournal): void {
  const [paying, paid, late, failed] = [5, 7, 8, 10] as ReservationNumber[];
  journal.pay(paying!);
  const paidBy = journal.pay(paid!);
  journal.pay(late!);
  journal.nowMs += 1;
  journal.failPayment(failed!, journal.pay(failed!), { expiresAtMs: journal.nowMs + 60_000 });
  journal.paid(paid!, paidBy);
  journal.expire(late!);
}
