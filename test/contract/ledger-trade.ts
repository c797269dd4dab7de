import { expect } from 'vitest';
import { type ChargeOutcome, LedgerUnavailable } from '../../src/actors/runtime/ledger.ts';
import type { WholeLedger } from './ledger-harness.ts';
import { pointsCharge, pointsOrder, scheduleId, user } from './ledger-orders.ts';

const payers = Array.from({ length: 12 }, (_, i) => `payer-${i}`);
const chargeAmount = 1000;
const price = 30;
const paymentsEach = 40;

/** Asks again until there is an answer, as the payment saga does. */
export async function answered<T>(call: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof LedgerUnavailable) || tries === 20) throw error;
    }
  }
}

/**
 * A round of charges, payments and refunds, each call twice, shared out among `ledgers`: the second time it goes
 * to the next of them. A payer is charged 1,000 a round and pays 40 times 30, so the last ones find too little;
 * every other payment is refunded.
 */
export async function trade(ledgers: readonly WholeLedger[], round: number): Promise<void> {
  let turn = 0;
  const next = () => ledgers[turn++ % ledgers.length]!;
  const charges = payers.flatMap((payer) => {
    const charge = pointsCharge(payer, chargeAmount, `round-${round}`, 1000);
    return [next(), next()].map((ledger) => answered<ChargeOutcome>(() => ledger.charge(charge)));
  });
  // A charge that is asked again would come after payments that were not, and they would find nothing.
  await Promise.all(charges);
  const orders = payers.flatMap((payer, p) =>
    Array.from({ length: paymentsEach }, (_, i) =>
      pointsOrder((round * payers.length + p) * paymentsEach + i + 1, payer, price),
    ),
  );
  const pays = ledgers.length === 1 ? [...orders, ...orders] : orders.flatMap((order) => [order, order]);
  const paid = pays.map((order) => {
    const ledger = next();
    return answered(() => ledger.payByPoints(order, 2000));
  });
  const refunds = orders
    .filter(({ number }) => number % 2 === 0)
    .map((order) => {
      const ledger = next();
      return answered(async () => {
        await ledger.cancelUnlessBegun(order, 3000);
        return ledger.refund(order, 3000);
      });
    });
  await Promise.all([...paid, ...refunds]);
}

/** Nothing of `rounds` was lost, and nothing was done twice. */
export async function expectSound(ledger: WholeLedger, rounds: number): Promise<void> {
  const audit = await ledger.auditSchedule(scheduleId);
  expect(audit).toMatchObject({ accountFaults: [], accountsChecked: payers.length });
  for (const payer of payers) {
    const { entries } = await ledger.listEntries({ userId: user(payer), limit: 100_000 });
    expect(entries.filter(({ kind }) => kind === 'charge')).toHaveLength(rounds);
    const own = audit.payments.filter(({ userId }) => userId === payer);
    const standing = own.filter(({ status }) => status === 'APPROVED');
    expect(await ledger.balanceOf(user(payer))).toBe(rounds * chargeAmount - standing.length * price);
    expect(standing.every(({ number }) => number % 2 === 1)).toBe(true);
    expect(own.length).toBeGreaterThan(0);
  }
}
