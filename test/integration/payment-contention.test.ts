import { expect, test } from 'vitest';
import { auditFaults, Buyer } from './buyer.ts';
import { NodeStore, storeKinds } from './node-store.ts';
import { createHall } from './small-hall.ts';
import type { UsherProcess } from './usher-process.ts';

/** 200 clients pay at once from 50 accounts that can't pay for all of it (I4, I5). */
const accountCount = 50;
const clientsPerAccount = 4;
const priceMinor = 4_500;
/** Account i can pay for `i % 5` of its four seats, and has some points over. */
const affordableOf = (account: number): number => Math.min(account % 5, clientsPerAccount);

test.each(storeKinds)(
  'on %s exactly what the accounts can pay for is PAID, and no balance is below 0',
  async (kind) => {
    const store = await NodeStore.open(kind);
    const usher = await store.start();
    try {
      await payAtOnce(usher);
    } finally {
      await usher.stop('SIGKILL');
      await store.remove();
    }
  },
);

async function payAtOnce(usher: UsherProcess): Promise<void> {
  const { scheduleId, seatIds } = await createHall(usher, { rows: 20, seatsPerRow: 10 });
  const buyers = await Promise.all(
    Array.from({ length: accountCount }, async (_, account) => {
      const buyer = await Buyer.of(usher, `account-${account}`);
      const points = affordableOf(account) * priceMinor + (account % 3) * 100;
      if (points > 0) expect((await buyer.charge(usher, points, 'first')).status).toBe(200);
      return { buyer, points, affordable: affordableOf(account) };
    }),
  );
  const held = await Promise.all(
    seatIds.map(async (seatId, index) => {
      const { buyer } = buyers[index % accountCount]!;
      return { buyer, reservationId: await buyer.hold(usher, scheduleId, seatId) };
    }),
  );
  expect(held).toHaveLength(accountCount * clientsPerAccount);

  const answers = await Promise.all(
    held.map(async ({ buyer, reservationId }) => ({
      buyer,
      reservationId,
      told: await buyer.pay(usher, reservationId, undefined, `pay-${reservationId}`),
    })),
  );

  let paidInAll = 0;
  for (const { buyer, points, affordable } of buyers) {
    const own = answers.filter((answer) => answer.buyer === buyer);
    const paid = own.filter(({ told }) => told.status === 200);
    expect(paid, buyer.userId).toHaveLength(affordable);
    paidInAll += paid.length;
    for (const { told, reservationId } of own) {
      const isPaid = told.status === 200;
      if (!isPaid) {
        expect(told).toMatchObject({
          status: 402,
          body: { code: 'insufficient-points', requiredMinor: priceMinor },
        });
        expect(told.body.balance).toBeLessThan(priceMinor);
      }
      const { status } = await buyer.read(usher, reservationId);
      expect(status).toBe(isPaid ? 'PAID' : 'HELD');
    }
    const entries = await buyer.entries(usher);
    const balance = await buyer.balance(usher);
    expect(entries.reduce((sum, { amount }) => sum + amount, 0)).toBe(balance);
    expect(balance).toBe(points - affordable * priceMinor);
    expect(entries.every(({ balanceAfter }) => balanceAfter >= 0)).toBe(true);
    expect(entries.filter(({ kind }) => kind === 'payment')).toHaveLength(affordable);
  }
  expect(paidInAll).toBe(100);
  expect(await (await usher.admin('GET', `/admin/schedules/${scheduleId}`)).json()).toMatchObject({
    paid: 100,
    held: 100,
    paying: 0,
  });
  expect(await auditFaults(usher, scheduleId)).toEqual([]);
}
