import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { idempotencyWindowMs } from '../../src/actors/allocator/idempotency-window.ts';
import type { ScheduleId } from '../../src/actors/allocator/ids.ts';
import {
  type CardResult,
  LedgerUnavailable,
  type PaymentOrder,
  type PaymentRecord,
} from '../../src/actors/runtime/ledger.ts';
import type { LedgerHarness, WholeLedger } from './ledger-harness.ts';
import { cardOrder, pointsCharge, pointsOrder, scheduleId, user } from './ledger-orders.ts';

const nowMs = 1_700_000_000_000;

/** What the Ledger, PointsReader and LedgerAuditor ports promise, sentence by sentence. */
export function ledgerContract(name: string, newHarness: () => LedgerHarness): void {
  describe(name, () => {
    let harness: LedgerHarness;
    let ledger: WholeLedger;

    beforeEach(async () => {
      harness = newHarness();
      ledger = await harness.open();
    });
    afterEach(async () => {
      await ledger.close();
      harness.dispose();
    });

    const reopen = async (): Promise<void> => {
      await ledger.close();
      ledger = await harness.open();
    };
    const charge = (payer: string, amount: number, key = 'first', atMs = nowMs) =>
      ledger.charge(pointsCharge(payer, amount, key, atMs));
    const balance = (payer: string) => ledger.balanceOf(user(payer));
    const entries = async (payer: string) =>
      (await ledger.listEntries({ userId: user(payer), limit: 1000 })).entries;
    const amounts = async (payer: string) => (await entries(payer)).map(({ amount }) => amount);

    describe('a charge', () => {
      it('makes the account and adds to it', async () => {
        expect(await balance('ann')).toBe(0);
        const first = await charge('ann', 500);
        expect(first).toMatchObject({ kind: 'charged', balance: 500, replayed: false });
        const second = await charge('ann', 20, 'second');
        expect(second).toMatchObject({ kind: 'charged', balance: 520, replayed: false });
        expect(await balance('ann')).toBe(520);
        expect(await amounts('ann')).toEqual([20, 500]);
      });

      it('with the same key takes effect once, and answers what the first one did', async () => {
        const first = await charge('ann', 500);
        await charge('ann', 20, 'second');
        expect(await charge('ann', 500, 'first', nowMs + 5)).toEqual({ ...first, replayed: true });
        expect(await balance('ann')).toBe(520);
      });

      it('with the same key at the same moment takes effect once', async () => {
        const outcomes = await Promise.all(Array.from({ length: 50 }, () => charge('ann', 500)));
        const fresh = outcomes.filter((outcome) => outcome.kind === 'charged' && !outcome.replayed);
        expect(fresh).toHaveLength(1);
        expect(new Set(outcomes.map((outcome) => outcome.kind === 'charged' && outcome.entryId)).size).toBe(
          1,
        );
        expect(await balance('ann')).toBe(500);
      });

      it('with the key of another charge is refused, unless that is another user', async () => {
        await charge('ann', 500);
        expect(await charge('ann', 501)).toEqual({ kind: 'key-reused' });
        expect(await charge('bob', 501)).toMatchObject({ kind: 'charged', balance: 501, replayed: false });
        expect(await balance('ann')).toBe(500);
      });

      it.each([
        ['is remembered until 24 h have passed', idempotencyWindowMs - 1, true],
        ['is a new one after 24 h', idempotencyWindowMs, false],
        ['is a new one much later', idempotencyWindowMs * 3, false],
      ])('%s', async (_, afterMs, replayed) => {
        await charge('ann', 500);
        // Charges of others in between, so that what may be forgotten is forgotten.
        for (let i = 0; i < 3; i++) await charge('bob', 1, `later-${i}`, nowMs + afterMs);
        expect(await charge('ann', 500, 'first', nowMs + afterMs)).toMatchObject({ replayed });
        expect(await balance('ann')).toBe(replayed ? 500 : 1000);
      });

      it('that came after 24 h is remembered in its turn', async () => {
        await charge('ann', 500);
        await charge('ann', 500, 'first', nowMs + idempotencyWindowMs);
        const third = await charge('ann', 500, 'first', nowMs + 2 * idempotencyWindowMs - 1);
        expect(third).toMatchObject({ balance: 1000, replayed: true });
      });

      it('is found again by a clock that was set back by some minutes', async () => {
        await charge('ann', 500);
        await charge('bob', 1, 'later', nowMs + idempotencyWindowMs + 10 * 60_000);
        expect(await charge('ann', 500, 'first', nowMs + 1)).toMatchObject({ replayed: true });
      });

      it('that would leave the safe integers is refused, and its key is not remembered', async () => {
        await charge('ann', Number.MAX_SAFE_INTEGER - 10);
        expect(await charge('ann', 11, 'second')).toEqual({ kind: 'balance-limit' });
        expect(await balance('ann')).toBe(Number.MAX_SAFE_INTEGER - 10);
        expect(await charge('ann', 10, 'second')).toMatchObject({ balance: Number.MAX_SAFE_INTEGER });
      });
    });

    describe('a payment by points', () => {
      it('debits an account that has enough', async () => {
        await charge('ann', 500);
        const record = await ledger.payByPoints(pointsOrder(1, 'ann', 500), nowMs);
        expect(record).toEqual({ paymentId: '7-1-10', status: 'APPROVED', balance: 0 });
        expect(await balance('ann')).toBe(0);
        expect(await amounts('ann')).toEqual([-500, 500]);
      });

      it('is declined where there is too little, and changes nothing', async () => {
        await charge('ann', 499);
        const record = await ledger.payByPoints(pointsOrder(1, 'ann', 500), nowMs);
        expect(record).toEqual({
          paymentId: '7-1-10',
          status: 'DECLINED',
          declineCode: 'insufficient-points',
          balance: 499,
        });
        expect(await balance('ann')).toBe(499);
        expect(await amounts('ann')).toEqual([499]);
      });

      it('of somebody who never had points is declined', async () => {
        const record = await ledger.payByPoints(pointsOrder(1, 'ann', 1), nowMs);
        expect(record).toMatchObject({ status: 'DECLINED', balance: 0 });
      });

      it('made again is what it has become: approved, with the balance of now', async () => {
        await charge('ann', 500);
        const order = pointsOrder(1, 'ann', 200);
        await ledger.payByPoints(order, nowMs);
        await charge('ann', 50, 'second');
        expect(await ledger.payByPoints(order, nowMs)).toEqual({
          paymentId: '7-1-10',
          status: 'APPROVED',
          balance: 350,
        });
        expect(await amounts('ann')).toEqual([50, -200, 500]);
      });

      it('made again is what it has become: declined, though there is enough by now', async () => {
        const order = pointsOrder(1, 'ann', 200);
        await ledger.payByPoints(order, nowMs);
        await charge('ann', 500);
        const record = await ledger.payByPoints(order, nowMs);
        expect(record).toMatchObject({
          status: 'DECLINED',
          declineCode: 'insufficient-points',
          balance: 500,
        });
      });

      it('made fifty times at the same moment debits once', async () => {
        await charge('ann', 500);
        const order = pointsOrder(1, 'ann', 100);
        const records = await Promise.all(Array.from({ length: 50 }, () => ledger.payByPoints(order, nowMs)));
        expect(new Set(records.map(({ status, balance }) => `${status} ${balance}`))).toEqual(
          new Set(['APPROVED 400']),
        );
        expect(await balance('ann')).toBe(400);
      });

      it('of nothing is approved, with no account and no entry', async () => {
        const order = pointsOrder(1, 'ann', 0);
        expect(await ledger.payByPoints(order, nowMs)).toMatchObject({ status: 'APPROVED', balance: 0 });
        expect(await ledger.refund(order, nowMs)).toMatchObject({ status: 'REFUNDED', balance: 0 });
        expect(await entries('ann')).toEqual([]);
        expect((await ledger.auditSchedule(scheduleId)).accountFaults).toEqual([]);
      });
    });

    describe('a payment by card', () => {
      const order = cardOrder(1, 'ann', 900);

      it('is pending with its card token, and again so when it is opened again', async () => {
        const pending = { paymentId: '7-1-10', status: 'PENDING', cardToken: 'token-1' };
        expect(await ledger.openCardPayment(order, nowMs)).toEqual(pending);
        expect(await ledger.openCardPayment(order, nowMs + 1)).toEqual(pending);
      });

      const results: [CardResult, Omit<PaymentRecord, 'paymentId'>][] = [
        [
          { status: 'APPROVED', reference: 'ch_1' },
          { status: 'APPROVED', reference: 'ch_1' },
        ],
        [
          { status: 'DECLINED', declineCode: 'expired_card' },
          { status: 'DECLINED', declineCode: 'expired_card' },
        ],
        [{ status: 'CANCELLED' }, { status: 'CANCELLED' }],
      ];
      it.each(results)('closed as %o is that for good, without its token', async (result, expected) => {
        await ledger.openCardPayment(order, nowMs);
        const record = { paymentId: '7-1-10', ...expected };
        expect(await ledger.closeCardPayment(order, result, nowMs)).toEqual(record);
        for (const [other] of results) {
          expect(await ledger.closeCardPayment(order, other, nowMs)).toEqual(record);
        }
        expect(await ledger.openCardPayment(order, nowMs)).toEqual(record);
        expect(await ledger.cancelUnlessBegun(order, nowMs)).toEqual(record);
      });

      it('moves no points', async () => {
        await charge('ann', 1000);
        await ledger.openCardPayment(order, nowMs);
        await ledger.closeCardPayment(order, { status: 'APPROVED', reference: 'ch_1' }, nowMs);
        await ledger.refund(order, nowMs, 're_1');
        expect(await amounts('ann')).toEqual([1000]);
      });
    });

    describe('cancelUnlessBegun', () => {
      it('cancels a payment that nobody has heard of, so that an S1 on its way collides with it', async () => {
        await charge('ann', 500);
        const order = pointsOrder(1, 'ann', 100);
        const cancelled = { paymentId: '7-1-10', status: 'CANCELLED', balance: 500 };
        expect(await ledger.cancelUnlessBegun(order, nowMs)).toEqual(cancelled);
        expect(await ledger.payByPoints(order, nowMs)).toEqual(cancelled);
        expect(await ledger.cancelUnlessBegun(order, nowMs)).toEqual(cancelled);
        expect(await balance('ann')).toBe(500);
      });

      it('cancels a card payment as well', async () => {
        const order = cardOrder(1, 'ann', 100);
        const cancelled = { paymentId: '7-1-10', status: 'CANCELLED' };
        expect(await ledger.cancelUnlessBegun(order, nowMs)).toEqual(cancelled);
        expect(await ledger.openCardPayment(order, nowMs)).toEqual(cancelled);
        const late = await ledger.closeCardPayment(order, { status: 'APPROVED', reference: 'ch_1' }, nowMs);
        expect(late).toEqual(cancelled);
      });

      it('tells what has become of one that was begun', async () => {
        await charge('ann', 500);
        const paid = await ledger.payByPoints(pointsOrder(1, 'ann', 100), nowMs);
        expect(await ledger.cancelUnlessBegun(pointsOrder(1, 'ann', 100), nowMs)).toEqual(paid);
        const declined = await ledger.payByPoints(pointsOrder(2, 'ann', 900), nowMs);
        expect(await ledger.cancelUnlessBegun(pointsOrder(2, 'ann', 900), nowMs)).toEqual(declined);
        const pending = await ledger.openCardPayment(cardOrder(3, 'ann', 100), nowMs);
        expect(await ledger.cancelUnlessBegun(cardOrder(3, 'ann', 100), nowMs)).toEqual(pending);
      });
    });

    describe('a refund', () => {
      it('returns the points, once', async () => {
        await charge('ann', 500);
        const order = pointsOrder(1, 'ann', 200);
        await ledger.payByPoints(order, nowMs);
        const refunded = { paymentId: '7-1-10', status: 'REFUNDED', balance: 500 };
        expect(await ledger.refund(order, nowMs)).toEqual(refunded);
        const again = await Promise.all(Array.from({ length: 20 }, () => ledger.refund(order, nowMs)));
        expect(again).toEqual(Array.from({ length: 20 }, () => refunded));
        expect(await ledger.payByPoints(order, nowMs)).toEqual(refunded);
        expect(await amounts('ann')).toEqual([200, -200, 500]);
      });

      it('of a card keeps the reference of the charge', async () => {
        const order = cardOrder(1, 'ann', 200);
        await ledger.openCardPayment(order, nowMs);
        await ledger.closeCardPayment(order, { status: 'APPROVED', reference: 'ch_1' }, nowMs);
        const refunded = { paymentId: '7-1-10', status: 'REFUNDED', reference: 'ch_1' };
        expect(await ledger.refund(order, nowMs, 're_1')).toEqual(refunded);
        expect(await ledger.refund(order, nowMs, 're_2')).toEqual(refunded);
      });

      it('of a payment that is not approved changes nothing', async () => {
        const declined = await ledger.payByPoints(pointsOrder(1, 'ann', 200), nowMs);
        expect(await ledger.refund(pointsOrder(1, 'ann', 200), nowMs)).toEqual(declined);
        const cancelled = await ledger.cancelUnlessBegun(pointsOrder(2, 'ann', 200), nowMs);
        expect(await ledger.refund(pointsOrder(2, 'ann', 200), nowMs)).toEqual(cancelled);
        const pending = await ledger.openCardPayment(cardOrder(3, 'ann', 200), nowMs);
        expect(await ledger.refund(cardOrder(3, 'ann', 200), nowMs)).toEqual(pending);
        expect(await balance('ann')).toBe(0);
      });
    });

    describe('an order that contradicts what is stored is a bug, and changes nothing', () => {
      const other: [string, Partial<PaymentOrder>][] = [
        ['user', { userId: user('bob') }],
        ['amount', { amountMinor: 101 }],
        ['currency', { currency: 'USD' }],
        ['schedule', { scheduleId: 8 as ScheduleId }],
      ];
      it.each(other)('another %s', async (_, difference) => {
        await charge('ann', 500);
        await charge('bob', 500);
        const order = pointsOrder(1, 'ann', 100);
        await ledger.payByPoints(order, nowMs);
        const wrong = { ...order, ...difference };
        await expect(ledger.payByPoints(wrong, nowMs)).rejects.toThrow(LedgerUnavailable);
        await expect(ledger.refund(wrong, nowMs)).rejects.toThrow('7-1-10 is stored as another order');
        expect([await balance('ann'), await balance('bob')]).toEqual([400, 500]);
      });

      it('and takes no other call with it', async () => {
        await charge('ann', 500);
        const neighbours = Array.from({ length: 40 }, (_, i) =>
          ledger.payByPoints(pointsOrder(i + 1, 'ann', 10), nowMs),
        );
        const unknown = ledger.refund(pointsOrder(99, 'ann', 10), nowMs);
        await expect(unknown).rejects.toThrow('7-99-990 is refunded and was never begun');
        const statuses = (await Promise.all(neighbours)).map(({ status }) => status);
        expect(statuses).toEqual(Array.from({ length: 40 }, () => 'APPROVED'));
        expect(await balance('ann')).toBe(100);
      });
    });

    describe('many at the same moment', () => {
      it('200 payers of 50 accounts: none goes below zero, and exactly the affordable are approved', async () => {
        const payers = Array.from({ length: 50 }, (_, i) => `payer-${i}`);
        const charged = payers.map((payer, i) => i % 5 > 0 && charge(payer, 100 * (i % 5)));
        await Promise.all(charged);
        const records = await Promise.all(
          Array.from({ length: 200 }, (_, i) =>
            ledger.payByPoints(pointsOrder(i + 1, payers[i % 50]!, 100), nowMs),
          ),
        );
        for (const [i, payer] of payers.entries()) {
          // Four payments of 100 each, in their order, out of 0, 100, 200, 300 or 400.
          const statuses = records.filter((_, n) => n % 50 === i).map(({ status }) => status);
          expect(statuses).toEqual([0, 1, 2, 3].map((n) => (n < i % 5 ? 'APPROVED' : 'DECLINED')));
          expect(await balance(payer)).toBe(0);
          const sum = (await amounts(payer)).reduce((total, amount) => total + amount, 0);
          expect(sum).toBe(0);
        }
        expect(records.filter(({ status }) => status === 'APPROVED')).toHaveLength(100);
        const audit = await ledger.auditSchedule(scheduleId);
        expect(audit.payments).toHaveLength(100);
        expect(audit).toMatchObject({ accountFaults: [], accountsChecked: 50 });
      });

      it("keeps the order of a user's calls", async () => {
        const order = pointsOrder(1, 'ann', 300);
        const [, , paid, refunded] = await Promise.all([
          charge('ann', 100, 'a'),
          charge('ann', 200, 'b'),
          ledger.payByPoints(order, nowMs),
          ledger.refund(order, nowMs),
        ]);
        expect([paid, refunded]).toMatchObject([
          { status: 'APPROVED', balance: 0 },
          { status: 'REFUNDED', balance: 300 },
        ]);
      });
    });

    describe('entries', () => {
      it("are the user's own, newest first, with all that is known of them", async () => {
        await charge('ann', 500, 'a', nowMs);
        await charge('bob', 900, 'a', nowMs);
        const order = pointsOrder(3, 'ann', 200);
        await ledger.payByPoints(order, nowMs + 1);
        await ledger.refund(order, nowMs + 2);
        const listed = await entries('ann');
        const reservation = { scheduleId: 7, number: 3 };
        expect(listed.map(({ entryId, ...rest }) => rest)).toEqual([
          { kind: 'refund', amount: 200, balanceAfter: 500, reservation, atMs: nowMs + 2 },
          { kind: 'payment', amount: -200, balanceAfter: 300, reservation, atMs: nowMs + 1 },
          { kind: 'charge', amount: 500, balanceAfter: 500, atMs: nowMs },
        ]);
        const ids = listed.map(({ entryId }) => entryId);
        expect(ids).toEqual([...ids].sort((a, b) => b - a));
        expect(new Set(ids).size).toBe(3);
      });

      it('come in pages that miss nothing', async () => {
        for (let i = 1; i <= 5; i++) await charge('ann', i, `key-${i}`);
        const pages: number[][] = [];
        let beforeEntryId: number | undefined;
        for (let hasMore = true; hasMore; ) {
          const page = await ledger.listEntries({
            userId: user('ann'),
            limit: 2,
            ...(beforeEntryId !== undefined && { beforeEntryId }),
          });
          pages.push(page.entries.map(({ amount }) => amount));
          beforeEntryId = page.entries.at(-1)?.entryId;
          hasMore = page.hasMore;
        }
        expect(pages).toEqual([[5, 4], [3, 2], [1]]);
        expect(await ledger.listEntries({ userId: user('ann'), limit: 5 })).toMatchObject({ hasMore: false });
        expect(await ledger.listEntries({ userId: user('bob'), limit: 5 })).toEqual({
          entries: [],
          hasMore: false,
        });
      });
    });

    describe('an audit', () => {
      it('lists the payments of the schedule that stand or are open', async () => {
        await charge('ann', 1000);
        await ledger.payByPoints(pointsOrder(1, 'ann', 100), nowMs);
        await ledger.payByPoints(pointsOrder(2, 'ann', 200), nowMs);
        await ledger.refund(pointsOrder(2, 'ann', 200), nowMs);
        await ledger.payByPoints(pointsOrder(3, 'bob', 300), nowMs);
        await ledger.cancelUnlessBegun(pointsOrder(4, 'cem', 400), nowMs);
        await ledger.openCardPayment(cardOrder(5, 'dan', 500), nowMs);
        await ledger.openCardPayment(cardOrder(6, 'eva', 600), nowMs);
        await ledger.closeCardPayment(
          cardOrder(6, 'eva', 600),
          { status: 'APPROVED', reference: 'ch' },
          nowMs,
        );
        const elsewhere = { ...pointsOrder(9, 'ann', 100), scheduleId: 8 as ScheduleId };
        await ledger.payByPoints(elsewhere, nowMs);

        const { payments, ...rest } = await ledger.auditSchedule(scheduleId);
        expect([...payments].sort((a, b) => a.number - b.number)).toEqual([
          { paymentId: '7-1-10', number: 1, userId: 'ann', amountMinor: 100, status: 'APPROVED' },
          { paymentId: '7-2-20', number: 2, userId: 'ann', amountMinor: 200, status: 'REFUNDED' },
          { paymentId: '7-5-50', number: 5, userId: 'dan', amountMinor: 500, status: 'PENDING' },
          { paymentId: '7-6-60', number: 6, userId: 'eva', amountMinor: 600, status: 'APPROVED' },
        ]);
        // Ann, and those as well whose payment by points came to nothing.
        expect(rest).toEqual({ accountFaults: [], accountsChecked: 3 });
        expect((await ledger.auditSchedule(9 as ScheduleId)).payments).toEqual([]);
      });
    });

    describe('closing', () => {
      it('waits for the calls that are under way, and rejects later ones', async () => {
        const calls = Array.from({ length: 20 }, (_, i) => charge('ann', 1, `key-${i}`));
        await ledger.close();
        expect((await Promise.all(calls)).map(({ kind }) => kind)).toEqual(
          Array.from({ length: 20 }, () => 'charged'),
        );
        await expect(charge('ann', 1, 'late')).rejects.toThrow(LedgerUnavailable);
        ledger = await harness.open();
        expect(await balance('ann')).toBe(20);
      });

      it('loses nothing that was answered', async () => {
        const charged = await charge('ann', 500);
        await ledger.payByPoints(pointsOrder(1, 'ann', 100), nowMs);
        await ledger.payByPoints(pointsOrder(2, 'bob', 100), nowMs);
        await ledger.openCardPayment(cardOrder(3, 'cem', 100), nowMs);
        await ledger.cancelUnlessBegun(pointsOrder(4, 'dan', 100), nowMs);
        const listed = await entries('ann');
        await reopen();

        expect(await charge('ann', 500)).toEqual({ ...charged, replayed: true });
        expect(await entries('ann')).toEqual(listed);
        expect(await ledger.payByPoints(pointsOrder(1, 'ann', 100), nowMs)).toMatchObject({
          status: 'APPROVED',
          balance: 400,
        });
        expect(await ledger.payByPoints(pointsOrder(2, 'bob', 100), nowMs)).toMatchObject({
          status: 'DECLINED',
        });
        const card = await ledger.openCardPayment(cardOrder(3, 'cem', 100), nowMs);
        expect(card).toMatchObject({ status: 'PENDING', cardToken: 'token-3' });
        expect(await ledger.payByPoints(pointsOrder(4, 'dan', 100), nowMs)).toMatchObject({
          status: 'CANCELLED',
        });
        // Entries go on where they stopped.
        await charge('ann', 1, 'second');
        expect((await entries('ann')).map(({ balanceAfter }) => balanceAfter)).toEqual([401, 400, 500]);
      });
    });
  });
}
