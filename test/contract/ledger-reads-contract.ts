import { describe, expect, it } from 'vitest';
import type { ScheduleId } from '../../src/actors/allocator/ids.ts';
import { LedgerUnavailable } from '../../src/actors/runtime/ledger.ts';
import type { LedgerHarness } from './ledger-harness.ts';
import { cardOrder, pointsOrder, scheduleId, user } from './ledger-orders.ts';
import { nowMs, useLedger } from './ledger-stage.ts';

/** What the PointsReader and LedgerAuditor ports promise, and what closing does. */
export function ledgerReadsContract(name: string, newHarness: () => LedgerHarness): void {
  describe(name, () => {
    const stage = useLedger(newHarness);
    const { charge, balance, entries } = stage;

    describe('entries', () => {
      it("are the user's own, newest first, with all that is known of them", async () => {
        await charge('ann', 500, 'a', nowMs);
        await charge('bob', 900, 'a', nowMs);
        const order = pointsOrder(3, 'ann', 200);
        await stage.ledger.payByPoints(order, nowMs + 1);
        await stage.ledger.refund(order, nowMs + 2);
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
          const page = await stage.ledger.listEntries({
            userId: user('ann'),
            limit: 2,
            ...(beforeEntryId !== undefined && { beforeEntryId }),
          });
          pages.push(page.entries.map(({ amount }) => amount));
          beforeEntryId = page.entries.at(-1)?.entryId;
          hasMore = page.hasMore;
        }
        expect(pages).toEqual([[5, 4], [3, 2], [1]]);
        expect(await stage.ledger.listEntries({ userId: user('ann'), limit: 5 })).toMatchObject({
          hasMore: false,
        });
        expect(await stage.ledger.listEntries({ userId: user('bob'), limit: 5 })).toEqual({
          entries: [],
          hasMore: false,
        });
      });
    });

    describe('an audit', () => {
      it('lists the payments of the schedule that stand or are open', async () => {
        await charge('ann', 1000);
        await stage.ledger.payByPoints(pointsOrder(1, 'ann', 100), nowMs);
        await stage.ledger.payByPoints(pointsOrder(2, 'ann', 200), nowMs);
        await stage.ledger.refund(pointsOrder(2, 'ann', 200), nowMs);
        await stage.ledger.payByPoints(pointsOrder(3, 'bob', 300), nowMs);
        await stage.ledger.cancelUnlessBegun(pointsOrder(4, 'cem', 400), nowMs);
        await stage.ledger.openCardPayment(cardOrder(5, 'dan', 500), nowMs);
        await stage.ledger.openCardPayment(cardOrder(6, 'eva', 600), nowMs);
        await stage.ledger.closeCardPayment(
          cardOrder(6, 'eva', 600),
          { status: 'APPROVED', reference: 'ch' },
          nowMs,
        );
        const elsewhere = { ...pointsOrder(9, 'ann', 100), scheduleId: 8 as ScheduleId };
        await stage.ledger.payByPoints(elsewhere, nowMs);

        const { payments, ...rest } = await stage.ledger.auditSchedule(scheduleId);
        expect([...payments].sort((a, b) => a.number - b.number)).toEqual([
          { paymentId: '7-1-10', number: 1, userId: 'ann', amountMinor: 100, status: 'APPROVED' },
          { paymentId: '7-2-20', number: 2, userId: 'ann', amountMinor: 200, status: 'REFUNDED' },
          { paymentId: '7-5-50', number: 5, userId: 'dan', amountMinor: 500, status: 'PENDING' },
          { paymentId: '7-6-60', number: 6, userId: 'eva', amountMinor: 600, status: 'APPROVED' },
        ]);
        // Ann, and those as well whose payment by points came to nothing.
        expect(rest).toEqual({ accountFaults: [], accountsChecked: 3 });
        expect((await stage.ledger.auditSchedule(9 as ScheduleId)).payments).toEqual([]);
      });
    });

    describe('closing', () => {
      it('waits for the calls that are under way, and rejects later ones', async () => {
        const calls = Array.from({ length: 20 }, (_, i) => charge('ann', 1, `key-${i}`));
        await stage.ledger.close();
        expect((await Promise.all(calls)).map(({ kind }) => kind)).toEqual(
          Array.from({ length: 20 }, () => 'charged'),
        );
        await expect(charge('ann', 1, 'late')).rejects.toThrow(LedgerUnavailable);
        await stage.reopen();
        expect(await balance('ann')).toBe(20);
      });

      it('loses nothing that was answered', async () => {
        const charged = await charge('ann', 500);
        await stage.ledger.payByPoints(pointsOrder(1, 'ann', 100), nowMs);
        await stage.ledger.payByPoints(pointsOrder(2, 'bob', 100), nowMs);
        await stage.ledger.openCardPayment(cardOrder(3, 'cem', 100), nowMs);
        await stage.ledger.cancelUnlessBegun(pointsOrder(4, 'dan', 100), nowMs);
        const listed = await entries('ann');
        await stage.reopen();

        expect(await charge('ann', 500)).toEqual({ ...charged, replayed: true });
        expect(await entries('ann')).toEqual(listed);
        expect(await stage.ledger.payByPoints(pointsOrder(1, 'ann', 100), nowMs)).toMatchObject({
          status: 'APPROVED',
          balance: 400,
        });
        expect(await stage.ledger.payByPoints(pointsOrder(2, 'bob', 100), nowMs)).toMatchObject({
          status: 'DECLINED',
        });
        const card = await stage.ledger.openCardPayment(cardOrder(3, 'cem', 100), nowMs);
        expect(card).toMatchObject({ status: 'PENDING', cardToken: 'token-3' });
        expect(await stage.ledger.payByPoints(pointsOrder(4, 'dan', 100), nowMs)).toMatchObject({
          status: 'CANCELLED',
        });
        // Entries go on where they stopped.
        await charge('ann', 1, 'second');
        expect((await entries('ann')).map(({ balanceAfter }) => balanceAfter)).toEqual([401, 400, 500]);
      });
    });
  });
}
