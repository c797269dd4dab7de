import { describe, expect, it } from 'vitest';
import { idempotencyWindowMs } from '../../src/actors/allocator/idempotency-window.ts';
import type { ScheduleId } from '../../src/actors/allocator/ids.ts';
import {
  type CardResult,
  LedgerRefused,
  type PaymentOrder,
  type PaymentRecord,
} from '../../src/actors/runtime/ledger.ts';
import type { LedgerHarness } from './ledger-harness.ts';
import { cardOrder, pointsOrder, scheduleId, user } from './ledger-orders.ts';
import { nowMs, useLedger } from './ledger-stage.ts';

/** What the Ledger port promises, sentence by sentence; the rest is in ledger-reads-contract.ts. */
export function ledgerContract(name: string, newHarness: () => LedgerHarness): void {
  describe(name, () => {
    const stage = useLedger(newHarness);
    const { charge, balance, entries, amounts } = stage;

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
        const record = await stage.ledger.payByPoints(pointsOrder(1, 'ann', 500), nowMs);
        expect(record).toEqual({ paymentId: '7-1-10', status: 'APPROVED', createdAtMs: nowMs, balance: 0 });
        expect(await balance('ann')).toBe(0);
        expect(await amounts('ann')).toEqual([-500, 500]);
      });

      it('is declined where there is too little, and changes nothing', async () => {
        await charge('ann', 499);
        const record = await stage.ledger.payByPoints(pointsOrder(1, 'ann', 500), nowMs);
        expect(record).toEqual({
          paymentId: '7-1-10',
          status: 'DECLINED',
          createdAtMs: nowMs,
          declineCode: 'insufficient-points',
          balance: 499,
        });
        expect(await balance('ann')).toBe(499);
        expect(await amounts('ann')).toEqual([499]);
      });

      it('of somebody who never had points is declined', async () => {
        const record = await stage.ledger.payByPoints(pointsOrder(1, 'ann', 1), nowMs);
        expect(record).toMatchObject({ status: 'DECLINED', balance: 0 });
      });

      it('made again is what it has become: approved, with the balance of now', async () => {
        await charge('ann', 500);
        const order = pointsOrder(1, 'ann', 200);
        await stage.ledger.payByPoints(order, nowMs);
        await charge('ann', 50, 'second');
        expect(await stage.ledger.payByPoints(order, nowMs + 9)).toEqual({
          paymentId: '7-1-10',
          status: 'APPROVED',
          createdAtMs: nowMs,
          balance: 350,
        });
        expect(await amounts('ann')).toEqual([50, -200, 500]);
      });

      it('made again is what it has become: declined, though there is enough by now', async () => {
        const order = pointsOrder(1, 'ann', 200);
        await stage.ledger.payByPoints(order, nowMs);
        await charge('ann', 500);
        const record = await stage.ledger.payByPoints(order, nowMs);
        expect(record).toMatchObject({
          status: 'DECLINED',
          declineCode: 'insufficient-points',
          balance: 500,
        });
      });

      it('made fifty times at the same moment debits once', async () => {
        await charge('ann', 500);
        const order = pointsOrder(1, 'ann', 100);
        const records = await Promise.all(
          Array.from({ length: 50 }, () => stage.ledger.payByPoints(order, nowMs)),
        );
        expect(new Set(records.map(({ status, balance }) => `${status} ${balance}`))).toEqual(
          new Set(['APPROVED 400']),
        );
        expect(await balance('ann')).toBe(400);
      });

      it('of nothing is approved, with no account and no entry', async () => {
        const order = pointsOrder(1, 'ann', 0);
        expect(await stage.ledger.payByPoints(order, nowMs)).toMatchObject({
          status: 'APPROVED',
          balance: 0,
        });
        expect(await stage.ledger.refund(order, nowMs)).toMatchObject({ status: 'REFUNDED', balance: 0 });
        expect(await entries('ann')).toEqual([]);
        expect((await stage.ledger.auditSchedule(scheduleId)).accountFaults).toEqual([]);
      });
    });

    describe('a payment by card', () => {
      const order = cardOrder(1, 'ann', 900);

      it('is pending with its card token, and again so when it is opened again', async () => {
        const pending = {
          paymentId: '7-1-10',
          status: 'PENDING',
          createdAtMs: nowMs,
          cardToken: 'token-1',
        };
        expect(await stage.ledger.openCardPayment(order, nowMs)).toEqual(pending);
        expect(await stage.ledger.openCardPayment(order, nowMs + 1)).toEqual(pending);
      });

      const results: [CardResult, Partial<PaymentRecord>][] = [
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
        await stage.ledger.openCardPayment(order, nowMs);
        const record = { paymentId: '7-1-10', createdAtMs: nowMs, ...expected };
        expect(await stage.ledger.closeCardPayment(order, result, nowMs)).toEqual(record);
        for (const [other] of results) {
          expect(await stage.ledger.closeCardPayment(order, other, nowMs)).toEqual(record);
        }
        expect(await stage.ledger.openCardPayment(order, nowMs)).toEqual(record);
        expect(await stage.ledger.cancelUnlessBegun(order, nowMs)).toEqual(record);
      });

      it('moves no points', async () => {
        await charge('ann', 1000);
        await stage.ledger.openCardPayment(order, nowMs);
        await stage.ledger.closeCardPayment(order, { status: 'APPROVED', reference: 'ch_1' }, nowMs);
        await stage.ledger.refund(order, nowMs, 're_1');
        expect(await amounts('ann')).toEqual([1000]);
      });
    });

    describe('cancelUnlessBegun', () => {
      it('cancels a payment that nobody has heard of, so that an S1 on its way collides with it', async () => {
        await charge('ann', 500);
        const order = pointsOrder(1, 'ann', 100);
        const cancelled = { paymentId: '7-1-10', status: 'CANCELLED', createdAtMs: nowMs, balance: 500 };
        expect(await stage.ledger.cancelUnlessBegun(order, nowMs)).toEqual(cancelled);
        expect(await stage.ledger.payByPoints(order, nowMs)).toEqual(cancelled);
        expect(await stage.ledger.cancelUnlessBegun(order, nowMs)).toEqual(cancelled);
        expect(await balance('ann')).toBe(500);
      });

      it('cancels a card payment as well', async () => {
        const order = cardOrder(1, 'ann', 100);
        const cancelled = { paymentId: '7-1-10', status: 'CANCELLED', createdAtMs: nowMs };
        expect(await stage.ledger.cancelUnlessBegun(order, nowMs)).toEqual(cancelled);
        expect(await stage.ledger.openCardPayment(order, nowMs)).toEqual(cancelled);
        const late = await stage.ledger.closeCardPayment(
          order,
          { status: 'APPROVED', reference: 'ch_1' },
          nowMs,
        );
        expect(late).toEqual(cancelled);
      });

      it('tells what has become of one that was begun', async () => {
        await charge('ann', 500);
        const paid = await stage.ledger.payByPoints(pointsOrder(1, 'ann', 100), nowMs);
        expect(await stage.ledger.cancelUnlessBegun(pointsOrder(1, 'ann', 100), nowMs)).toEqual(paid);
        const declined = await stage.ledger.payByPoints(pointsOrder(2, 'ann', 900), nowMs);
        expect(await stage.ledger.cancelUnlessBegun(pointsOrder(2, 'ann', 900), nowMs)).toEqual(declined);
      });
    });

    describe('a pending payment by card', () => {
      const order = cardOrder(1, 'ann', 100);

      const ownView: CardResult = { status: 'CANCELLED', unlessTakenOver: true };

      it('is cancelled by the driver that began it, while no other has come in', async () => {
        await stage.ledger.openCardPayment(order, nowMs);
        await stage.ledger.openCardPayment(order, nowMs + 1);
        expect(await stage.ledger.closeCardPayment(order, ownView, nowMs)).toMatchObject({
          status: 'CANCELLED',
        });
      });

      it('stays pending when its first driver cancels it after another one has come in', async () => {
        const opened = await stage.ledger.openCardPayment(order, nowMs);
        expect(await stage.ledger.cancelUnlessBegun(order, nowMs + 1)).toEqual(opened);
        // It is sent again by the first driver's lane, and tells it nothing of the other.
        expect(await stage.ledger.openCardPayment(order, nowMs + 2)).toEqual(opened);
        expect(await stage.ledger.closeCardPayment(order, ownView, nowMs)).toEqual(opened);
        await stage.reopen();
        expect(await stage.ledger.closeCardPayment(order, ownView, nowMs)).toEqual(opened);
      });

      it.each<CardResult>([
        { status: 'APPROVED', reference: 'ch_1' },
        { status: 'DECLINED', declineCode: 'expired_card' },
        { status: 'CANCELLED' },
      ])('takes what the gateway itself has said from any driver: %o', async (result) => {
        await stage.ledger.openCardPayment(order, nowMs);
        await stage.ledger.cancelUnlessBegun(order, nowMs);
        expect(await stage.ledger.closeCardPayment(order, result, nowMs)).toMatchObject(result);
      });
    });

    describe('a refund', () => {
      it('returns the points, once', async () => {
        await charge('ann', 500);
        const order = pointsOrder(1, 'ann', 200);
        await stage.ledger.payByPoints(order, nowMs);
        const refunded = { paymentId: '7-1-10', status: 'REFUNDED', createdAtMs: nowMs, balance: 500 };
        expect(await stage.ledger.refund(order, nowMs)).toEqual(refunded);
        const again = await Promise.all(Array.from({ length: 20 }, () => stage.ledger.refund(order, nowMs)));
        expect(again).toEqual(Array.from({ length: 20 }, () => refunded));
        expect(await stage.ledger.payByPoints(order, nowMs)).toEqual(refunded);
        expect(await amounts('ann')).toEqual([200, -200, 500]);
      });

      it('of a card that was charged nothing has no reference of its own', async () => {
        const order = cardOrder(1, 'ann', 0);
        await stage.ledger.openCardPayment(order, nowMs);
        const closed = { status: 'APPROVED', reference: 'nothing-charged' } as const;
        const approved = await stage.ledger.closeCardPayment(order, closed, nowMs);
        const refunded = { ...approved, status: 'REFUNDED' };
        expect(await stage.ledger.refund(order, nowMs)).toEqual(refunded);
        await stage.reopen();
        expect(await stage.ledger.refund(order, nowMs)).toEqual(refunded);
      });

      it('of a card keeps the reference of the charge', async () => {
        const order = cardOrder(1, 'ann', 200);
        await stage.ledger.openCardPayment(order, nowMs);
        await stage.ledger.closeCardPayment(order, { status: 'APPROVED', reference: 'ch_1' }, nowMs);
        const refunded = {
          paymentId: '7-1-10',
          status: 'REFUNDED',
          createdAtMs: nowMs,
          reference: 'ch_1',
        };
        expect(await stage.ledger.refund(order, nowMs, 're_1')).toEqual(refunded);
        expect(await stage.ledger.refund(order, nowMs, 're_2')).toEqual(refunded);
      });

      it('of a payment that is not approved changes nothing', async () => {
        const declined = await stage.ledger.payByPoints(pointsOrder(1, 'ann', 200), nowMs);
        expect(await stage.ledger.refund(pointsOrder(1, 'ann', 200), nowMs)).toEqual(declined);
        const cancelled = await stage.ledger.cancelUnlessBegun(pointsOrder(2, 'ann', 200), nowMs);
        expect(await stage.ledger.refund(pointsOrder(2, 'ann', 200), nowMs)).toEqual(cancelled);
        const pending = await stage.ledger.openCardPayment(cardOrder(3, 'ann', 200), nowMs);
        expect(await stage.ledger.refund(cardOrder(3, 'ann', 200), nowMs)).toEqual(pending);
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
        await stage.ledger.payByPoints(order, nowMs);
        const wrong = { ...order, ...difference };
        await expect(stage.ledger.payByPoints(wrong, nowMs)).rejects.toThrow(LedgerRefused);
        await expect(stage.ledger.refund(wrong, nowMs)).rejects.toThrow('7-1-10 is stored as another order');
        expect([await balance('ann'), await balance('bob')]).toEqual([400, 500]);
      });

      it('and takes no other call with it', async () => {
        await charge('ann', 500);
        const neighbours = Array.from({ length: 40 }, (_, i) =>
          stage.ledger.payByPoints(pointsOrder(i + 1, 'ann', 10), nowMs),
        );
        const unknown = stage.ledger.refund(pointsOrder(99, 'ann', 10), nowMs);
        await expect(unknown).rejects.toThrow(LedgerRefused);
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
            stage.ledger.payByPoints(pointsOrder(i + 1, payers[i % 50]!, 100), nowMs),
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
        const audit = await stage.ledger.auditSchedule(scheduleId);
        expect(audit.payments).toHaveLength(100);
        expect(audit).toMatchObject({ accountFaults: [], accountsChecked: 50 });
      });

      it("keeps the order of a user's calls", async () => {
        const order = pointsOrder(1, 'ann', 300);
        const [, , paid, refunded] = await Promise.all([
          charge('ann', 100, 'a'),
          charge('ann', 200, 'b'),
          stage.ledger.payByPoints(order, nowMs),
          stage.ledger.refund(order, nowMs),
        ]);
        expect([paid, refunded]).toMatchObject([
          { status: 'APPROVED', balance: 0 },
          { status: 'REFUNDED', balance: 300 },
        ]);
      });
    });
  });
}
