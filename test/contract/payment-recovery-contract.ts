import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ReservationNumber } from '../../src/actors/allocator/ids.ts';
import { type Store, StoreUnavailable } from '../../src/actors/runtime/ports.ts';
import { foldJournal, foldStored } from './journal-fold.ts';
import { ScheduleJournal, testStartMs } from './schedule-journal.ts';
import { Committer, everything, type StoreHarness } from './store-harness.ts';

const mark = { key: "k'1", fingerprint: Number.MAX_SAFE_INTEGER };

/** What a new owner reads of payments: none that is open may be lost, whatever has become of its seats. */
export function paymentRecoveryContract(makeHarness: () => StoreHarness<Store>): void {
  let harness: StoreHarness<Store>;
  let store: Store;
  let committer: Committer;
  let journal: ScheduleJournal;
  let number: ReservationNumber;
  let payment: number;

  beforeEach(async () => {
    harness = makeHarness();
    store = await harness.open();
    committer = new Committer(store);
    await committer.claim(1);
    journal = new ScheduleJournal(10, 1);
    number = journal.hold({ seats: [3, 1], mark: { key: 'hold', fingerprint: 1 } });
    journal.nowMs += 1000;
    payment = journal.pay(number, { method: 'card', holdLeftMs: 299_000, mark });
  });
  afterEach(async () => {
    await store.close();
    harness.dispose();
  });

  const load = async (since = everything) => {
    await committer.commit(...journal.newRows());
    await store.projectAll();
    return (await store.loadSchedule(journal.scheduleId, since)).image;
  };
  const expire = () => {
    journal.nowMs += 120_000;
    journal.expire(number);
  };
  const open = { number: 1, method: 'card', holdLeftMs: 299_000, idempotency: mark };

  describe('an open payment', () => {
    it('is told with everything that began it', async () => {
      const { openPayments, reservations } = await load();
      expect(openPayments).toEqual([open]);
      expect([reservations.paymentSeq[0], reservations.paidAtMs[0]]).toEqual([payment, 0]);
    });

    it('without a key has none', async () => {
      const other = journal.hold({ seats: [7] });
      journal.pay(other, { method: 'points', holdLeftMs: 1 });
      expect((await load()).openPayments).toEqual([
        open,
        { number: other, method: 'points', holdLeftMs: 1, idempotency: undefined },
      ]);
    });

    it('of a reservation that has expired is told for as long as it is open, whatever endedSinceMs says', async () => {
      expire();
      const since = { endedSinceMs: journal.nowMs + 1, markedSinceMs: 0 };
      const late = await load(since);
      expect([[...late.reservations.number], late.openPayments]).toEqual([[number], [open]]);
      journal.failPayment(number, payment, { failure: { reason: 'refunded' } });
      const closed = await load(since);
      expect([closed.reservations.count, closed.openPayments]).toEqual([0, []]);
      const kept = (await load()).reservations;
      expect([kept.endedAtMs[0], kept.seq[0], kept.paymentSeq[0]]).toEqual([journal.nowMs, 4, 0]);
    });

    it('is over when it is paid, or failed', async () => {
      const failed = journal.hold({ seats: [7] });
      journal.failPayment(failed, journal.pay(failed), { expiresAtMs: journal.nowMs + 30_000 });
      journal.paid(number, payment, mark);
      const { openPayments, reservations } = await load();
      expect(openPayments).toEqual([]);
      expect([...reservations.paymentSeq]).toEqual([payment, 0]);
      expect([...reservations.paidAtMs]).toEqual([journal.nowMs, 0]);
    });

    it('after another one that failed is the one that counts', async () => {
      journal.failPayment(number, payment, { expiresAtMs: journal.nowMs + 30_000 });
      const second = journal.pay(number, { holdLeftMs: 29_000 });
      const { openPayments, reservations } = await load();
      expect(openPayments).toEqual([
        { number, method: 'points', holdLeftMs: 29_000, idempotency: undefined },
      ]);
      expect(reservations.paymentSeq[0]).toBe(second);
    });

    it('is there after a restart', async () => {
      expire();
      await load();
      await store.close();
      store = await harness.open();
      const { image } = await store.loadSchedule(journal.scheduleId, everything);
      expect(image.openPayments).toEqual([open]);
      expect(await store.schedulesWithOpenWork()).toEqual([journal.scheduleId]);
    });
  });

  describe('a paid reservation', () => {
    it('keeps its seats, and its schedule needs no owner for it', async () => {
      journal.paid(number, payment, mark);
      await load();
      expect(await store.schedulesWithOpenWork()).toEqual([]);
      journal.hold({ userId: 'eve', seats: [1] });
      await committer.commit(...journal.newRows());
      await expect(store.projectAll()).rejects.toThrow(StoreUnavailable);
    });
  });

  describe('the mark of a payment (I8)', () => {
    const marks = async () => {
      const { marks: found } = await load();
      return found.key.map((key, i) => [key, found.seq[i], found.kind[i], found.expiresAtMs[i]]);
    };
    const held = ['hold', 1, 0, testStartMs + 300_000];

    it('keeps its key while it is under way', async () => {
      expect(await marks()).toEqual([held, [mark.key, payment, 3, journal.nowMs + 120_000]]);
    });

    it('goes when it is paid, and the one of the success comes', async () => {
      journal.paid(number, payment, mark);
      expect(await marks()).toEqual([held, [mark.key, payment + 1, 2, 0]]);
    });

    it('goes when it fails', async () => {
      journal.failPayment(number, payment, { expiresAtMs: journal.nowMs + 30_000 });
      expect(await marks()).toEqual([held]);
    });

    it('goes when the seats are gone, though it is still open', async () => {
      expire();
      expect(await marks()).toEqual([held]);
    });

    it('does not take a later one with it that has the same key', async () => {
      expire();
      journal.hold({ seats: [7], mark });
      journal.failPayment(number, payment, { failure: { reason: 'refunded' } });
      expect(await marks()).toEqual([held, [mark.key, 4, 0, journal.nowMs + 300_000]]);
    });
  });

  describe('schedulesWithOpenWork', () => {
    const isListed = async () => {
      await load();
      return (await store.schedulesWithOpenWork()).includes(journal.scheduleId);
    };

    it('lists a schedule while a payment is under way, and while it is open when the seats are gone', async () => {
      expect(await isListed()).toBe(true);
      expire();
      expect(await isListed()).toBe(true);
      journal.failPayment(number, payment, { failure: { reason: 'refunded' } });
      expect(await isListed()).toBe(false);
    });

    it('lists it while a hold is open that a payment has given back', async () => {
      journal.failPayment(number, payment, { expiresAtMs: journal.nowMs + 30_000 });
      expect(await isListed()).toBe(true);
      journal.cancel(number);
      expect(await isListed()).toBe(false);
    });

    it('counts payments: one of two that is over leaves it open', async () => {
      const other = journal.hold({ seats: [7] });
      journal.paid(other, journal.pay(other));
      expect(await isListed()).toBe(true);
      journal.paid(number, payment);
      expect(await isListed()).toBe(false);
    });
  });

  describe('a journal that cannot be: the projection stops before it', () => {
    const broken: readonly (readonly [string, () => void])[] = [
      ['a payment that is over is paid', () => journal.paid(number, payment)],
      ['a payment that is over fails', () => journal.failPayment(number, payment, { expiresAtMs: 1 })],
      ['a payment that is over fails late', () => journal.failPayment(number, payment)],
      ['a payment of an unknown reservation', () => journal.pay(44 as ReservationNumber)],
      ['an unknown reservation is paid', () => journal.paid(44 as ReservationNumber, payment)],
      ['an unknown reservation is given back', () => journal.failPayment(44 as ReservationNumber, payment)],
    ];

    it.each(broken)('%s', async (_name, breakIt) => {
      journal.paid(number, payment, mark);
      breakIt();
      await committer.commit(...journal.newRows());
      await expect(store.projectAll()).rejects.toThrow(StoreUnavailable);
      const stored = await store.loadSchedule(journal.scheduleId, everything);
      expect(stored.image.projectedSeq + stored.tail.length).toBe(4);
      expect(stored.tail.at(-1)).toEqual(journal.rows().at(-1));
    });

    it('what has ended can’t be paid for', async () => {
      expire();
      journal.pay(number);
      await committer.commit(...journal.newRows());
      await expect(store.projectAll()).rejects.toThrow(/reservation 1 has ended already/);
    });
  });

  it('image and tail together are the journal after each of its events', async () => {
    expire();
    journal.failPayment(number, payment, { failure: { reason: 'refunded' } });
    const next = journal.hold({ seats: [1], mark });
    const first = journal.pay(next, { mark: { key: 'a', fingerprint: 2 } });
    journal.failPayment(next, first, { expiresAtMs: journal.nowMs + 30_000 });
    journal.paid(next, journal.pay(next, { mark: { key: 'a', fingerprint: 2 } }), {
      key: 'a',
      fingerprint: 2,
    });
    for (const [index, row] of journal.rows().entries()) {
      await committer.commit(row);
      const upToHere = foldJournal(journal.rows().slice(0, index + 1));
      expect(foldStored(await store.loadSchedule(journal.scheduleId, everything))).toEqual(upToHere);
      await store.projectAll();
      expect(foldStored(await store.loadSchedule(journal.scheduleId, everything))).toEqual(upToHere);
    }
  });
}
