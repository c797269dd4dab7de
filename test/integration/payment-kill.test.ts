import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type SandboxGateway, startSandboxGateway } from '../../src/ledger/sandbox/sandbox-gateway.ts';
import { auditFaults, Buyer, chargesOf } from './buyer.ts';
import { NodeStore, storeKinds } from './node-store.ts';
import { createHall } from './small-hall.ts';

/**
 * SIGKILL at each boundary of a payment, in the very turn in which it is passed. After the restart the state
 * settles by itself within 10 s, the user is charged once or not at all, and the same request again is
 * answered with the true outcome (I2, I4, I5, I8, I13).
 */
const settledWithinMs = 10_000;
const priceMinor = 4_500;
const pointsAtFirst = 10_000;
const crashAtStep = fileURLToPath(new URL('./crash-at-step.ts', import.meta.url));

let sandbox: SandboxGateway;

beforeAll(async () => {
  sandbox = await startSandboxGateway({ host: '127.0.0.1', port: 0 });
});

afterAll(() => sandbox.close());

const crashing = ['--import', crashAtStep];
const settings = (): Record<string, string> => ({ STRIPE_API_URL: sandbox.url, STRIPE_API_KEY: 'sandbox' });

interface Boundary {
  readonly step: string;
  readonly cardToken?: string;
  /** What the restart must make of it: nobody but the crashed process was there to begin S1. */
  readonly after: 'HELD' | 'PAID';
  /** Where one store does what the other doesn't: the ledger's S1, and what actors find of it. */
  readonly isOfEachStore?: true;
}

const boundaries: readonly Boundary[] = [
  { step: 's0-decided', after: 'HELD' },
  { step: 's0-durable', after: 'HELD', isOfEachStore: true },
  { step: 's1-durable', after: 'PAID', isOfEachStore: true },
  { step: 's2-durable', after: 'PAID', isOfEachStore: true },
  { step: 's0-decided', cardToken: 'approve', after: 'HELD' },
  { step: 's0-durable', cardToken: 'approve', after: 'HELD' },
  { step: 's1-opened', cardToken: 'approve', after: 'PAID', isOfEachStore: true },
  { step: 's1-charged', cardToken: 'approve', after: 'PAID' },
  { step: 's1-durable', cardToken: 'approve', after: 'PAID', isOfEachStore: true },
  { step: 's2-durable', cardToken: 'approve', after: 'PAID' },
];

interface Refusal {
  readonly name: string;
  readonly cardToken?: string;
  readonly code: string;
  readonly isOfEachStore?: true;
}

const onStores = <Case extends { readonly isOfEachStore?: true }>(cases: readonly Case[]) =>
  cases.flatMap((each) =>
    (each.isOfEachStore === true ? storeKinds : (['SQLite'] as const)).map((kind) => ({ ...each, kind })),
  );

describe('kill -9 at a boundary of a payment', () => {
  const name = '$step (card $cardToken) on $kind: settles as $after, charged once';
  test.each(onStores(boundaries))(name, async ({ kind, step, cardToken, after }) => {
    const store = await NodeStore.open(kind);
    let usher = await store.start({ ...settings(), CRASH_AT_STEP: step }, crashing);
    try {
      const { scheduleId } = await createHall(usher, { rows: 1, seatsPerRow: 4 });
      const ada = await Buyer.of(usher, `ada-${step}`);
      await ada.charge(usher, pointsAtFirst, 'first');
      const reservationId = await ada.hold(usher, scheduleId, 'R1-1');
      const chargesBefore = (await chargesOf(sandbox.url, reservationId)).length;
      const charged = async () =>
        cardToken === undefined
          ? (pointsAtFirst - (await ada.balance(usher))) / priceMinor
          : (await chargesOf(sandbox.url, reservationId)).length - chargesBefore;

      await expect(ada.pay(usher, reservationId, cardToken, 'my-payment'), 'no answer').rejects.toThrow();
      expect(await usher.exited()).toBe('SIGKILL');

      usher = await store.start(settings());
      const settled = await ada.settled(usher, reservationId, 'PAYING', settledWithinMs);
      expect(settled.status).toBe(after);
      expect(await charged()).toBe(after === 'PAID' ? 1 : 0);
      expect(await auditFaults(usher, scheduleId)).toEqual([]);

      const again = await ada.pay(usher, reservationId, cardToken, 'my-payment');
      expect(again.status, again.text).toBe(200);
      expect(again.body).toMatchObject({ status: 'PAID', totalMinor: priceMinor });
      expect(again.headers.get('idempotency-replayed')).toBe(after === 'PAID' ? 'true' : null);
      expect(await charged()).toBe(1);
      expect(await ada.pay(usher, reservationId, cardToken, 'another')).toMatchObject({
        status: 409,
        body: { code: 'already-paid' },
      });
      expect(await auditFaults(usher, scheduleId)).toEqual([]);
    } finally {
      await usher.stop('SIGKILL');
      await store.remove();
    }
  });

  const refusals: readonly Refusal[] = [
    { name: 'a declined card', cardToken: 'decline-lost-card', code: 'payment-declined' },
    { name: 'an account with too few points', code: 'insufficient-points', isOfEachStore: true },
  ];
  test.each(onStores(refusals))(
    '$name on $kind, decided and not told: HELD, nothing is charged',
    async ({ kind, cardToken, code }) => {
      const store = await NodeStore.open(kind);
      let usher = await store.start({ ...settings(), CRASH_AT_STEP: 's1-durable' }, crashing);
      try {
        const { scheduleId } = await createHall(usher, { rows: 1, seatsPerRow: 4 });
        const ada = await Buyer.of(usher, `ada-${code}`);
        await ada.charge(usher, priceMinor - 1, 'first');
        const reservationId = await ada.hold(usher, scheduleId, 'R1-1');
        const before = (await chargesOf(sandbox.url, reservationId)).length;
        const charges = async () => (await chargesOf(sandbox.url, reservationId)).length - before;
        await expect(ada.pay(usher, reservationId, cardToken, 'my-payment'), 'no answer').rejects.toThrow();
        expect(await usher.exited()).toBe('SIGKILL');

        usher = await store.start(settings());
        const settled = await ada.settled(usher, reservationId, 'PAYING', settledWithinMs);
        expect(settled).toMatchObject({ status: 'HELD', totalMinor: priceMinor });
        expect(settled).not.toHaveProperty('paymentId');
        expect([await charges(), await ada.balance(usher)]).toEqual([0, priceMinor - 1]);
        expect(await auditFaults(usher, scheduleId)).toEqual([]);

        const again = await ada.pay(usher, reservationId, cardToken, 'my-payment');
        expect(again, again.text).toMatchObject({ status: 402, body: { code } });
        expect(again.headers.get('idempotency-replayed')).toBeNull();
        const otherCard = await ada.pay(usher, reservationId, 'approve', 'other-card');
        expect(otherCard, otherCard.text).toMatchObject({ status: 200, body: { status: 'PAID' } });
        expect([await charges(), await ada.balance(usher)]).toEqual([1, priceMinor - 1]);
        expect(await auditFaults(usher, scheduleId)).toEqual([]);
      } finally {
        await usher.stop('SIGKILL');
        await store.remove();
      }
    },
  );

  test('between a late approval and its refund: given back once, and the seat is free', async () => {
    const store = await NodeStore.open('SQLite');
    // The gateway is asked again after the seats are gone, and hears of a charge that was made meanwhile.
    const slow = {
      ...settings(),
      HOLD_TTL_SECONDS: '2',
      PAYMENT_TIME_MAX_SECONDS: '2',
      PAY_WAIT_MAX_MS: '500',
      GATEWAY_CALL_MAX_MS: '1900',
    };
    let usher = await store.start({ ...slow, CRASH_AT_STEP: 's1-durable' }, crashing);
    try {
      const { scheduleId } = await createHall(usher, { rows: 1, seatsPerRow: 4 });
      const ada = await Buyer.of(usher, 'ada-late');
      const reservationId = await ada.hold(usher, scheduleId, 'R1-1');
      const before = (await chargesOf(sandbox.url, reservationId)).length;
      expect((await ada.pay(usher, reservationId, 'delay-2500', 'late')).status).toBe(202);
      expect(await usher.exited(), 'approved when the seat was gone').toBe('SIGKILL');

      usher = await store.start(slow);
      const refunds = async () =>
        (await chargesOf(sandbox.url, reservationId)).slice(before).map((charge) => charge.refunds.length);
      await expect.poll(refunds, { timeout: settledWithinMs }).toEqual([1]);
      expect(await ada.read(usher, reservationId)).toMatchObject({ status: 'EXPIRED' });
      expect(await ada.pay(usher, reservationId, 'delay-2500', 'late')).toMatchObject({
        status: 410,
        body: { code: 'hold-expired' },
      });
      const bob = await Buyer.of(usher, 'bob-late');
      expect(await bob.hold(usher, scheduleId, 'R1-1')).toBe(`${scheduleId}-2`);
      await usher.stop('SIGKILL');
      usher = await store.start(slow);
      expect(await auditFaults(usher, scheduleId)).toEqual([]);
      expect(await refunds(), 'once, whoever starts again').toEqual([1]);
    } finally {
      await usher.stop('SIGKILL');
      await store.remove();
    }
  });
});
