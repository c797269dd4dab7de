import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterEach, describe, expect, test } from 'vitest';
import type { PaymentId } from '../../../src/actors/allocator/ids.ts';
import { Metrics } from '../../../src/telemetry/metrics.ts';

const logged: unknown[] = [];
const metrics = (): Metrics =>
  new Metrics({
    routes: [{ method: 'any', path: 'unmatched' }],
    stats: () => ({ actors: 0, mailboxDepth: 0, openHolds: 0, heldSeats: 0, openPayments: 0 }),
    log: { warn: (...entry) => logged.push(entry) },
    storeStats: async () => undefined,
    ledgerPools: () => [],
    isProcessWide: false,
  });

/** Values of lines of the text format, by what they begin with. */
async function samples(subject: Metrics, ...names: readonly string[]): Promise<readonly number[]> {
  const lines = (await subject.text()).split('\n');
  return names.map((name) => {
    const line = lines.find((candidate) => candidate.startsWith(`${name} `));
    return line === undefined ? Number.NaN : Number(line.slice(name.length + 1));
  });
}

const paymentId = '7-1-2' as PaymentId;

afterEach(() => {
  logged.length = 0;
});

describe('payments', () => {
  test('are timed by method and outcome', async () => {
    const subject = metrics();
    subject.runtime.onPayment('points', 'approved', 2);
    subject.runtime.onPayment('points', 'approved', 20);
    subject.runtime.onPayment('points', 'insufficient-points', 3);
    subject.runtime.onPayment('card', 'refunded', 121_000);
    const of = (suffix: string, method: string, outcome: string, le?: string) =>
      `usher_payment_duration_seconds_${suffix}{method="${method}",outcome="${outcome}"${le === undefined ? '' : `,le="${le}"`}}`;
    expect(
      await samples(
        subject,
        of('count', 'points', 'approved'),
        of('sum', 'points', 'approved'),
        of('bucket', 'points', 'approved', '0.0025'),
        of('bucket', 'points', 'approved', '0.025'),
        of('count', 'points', 'insufficient-points'),
        of('bucket', 'card', 'refunded', '120'),
        of('bucket', 'card', 'refunded', '+Inf'),
      ),
    ).toEqual([2, 0.022, 1, 2, 1, 0, 1]);
  });

  test('of a kind that never was are not listed', async () => {
    const subject = metrics();
    subject.runtime.onPayment('points', 'approved', 2);
    expect(await subject.text()).not.toContain('method="card"');
  });

  test('have their steps counted', async () => {
    const subject = metrics();
    for (const step of ['s0-decided', 's0-durable', 's0-durable', 'refunded'] as const) {
      subject.runtime.onPaymentStep(step, paymentId);
    }
    const of = (step: string) => `usher_payment_steps_total{step="${step}"}`;
    expect(await samples(subject, of('s0-decided'), of('s0-durable'), of('refunded'))).toEqual([1, 2, 1]);
  });

  test('have their steps published in the turn in which they are passed', () => {
    const seen: unknown[] = [];
    const note = (message: unknown): unknown => seen.push(message);
    const { runtime } = metrics();
    subscribe('usher:payment-step', note);
    runtime.onPaymentStep('s1-durable', paymentId);
    expect(seen).toEqual([{ step: 's1-durable', paymentId: '7-1-2' }]);
    unsubscribe('usher:payment-step', note);
    runtime.onPaymentStep('s2-durable', paymentId);
    expect(seen).toHaveLength(1);
  });
});

describe('the ledger', () => {
  test('has its transactions counted and timed', async () => {
    const subject = metrics();
    subject.payments.onBatch(1, 2, 'committed');
    subject.payments.onBatch(40, 6, 'committed');
    subject.payments.onBatch(7, 300, 'unavailable');
    expect(
      await samples(
        subject,
        'usher_ledger_batches_total{outcome="committed"}',
        'usher_ledger_batches_total{outcome="unavailable"}',
        'usher_ledger_batch_operations_sum',
        'usher_ledger_batch_operations_bucket{le="10"}',
        'usher_ledger_batch_duration_seconds_bucket{le="0.01"}',
      ),
    ).toEqual([2, 1, 48, 2, 2]);
  });

  test('has its faults counted and logged with those of the runtime', async () => {
    const subject = metrics();
    const error = new Error('disk full');
    subject.payments.onFault('a lane gave up', error);
    expect(logged).toEqual([[{ err: error }, 'a lane gave up']]);
    expect(await samples(subject, 'usher_faults_total')).toEqual([1]);
  });
});

describe('the gateway', () => {
  test('has its calls timed by call and outcome', async () => {
    const subject = metrics();
    subject.payments.onGatewayCall('charge', 'approved', 300);
    subject.payments.onGatewayCall('charge', 'approved', 900);
    subject.payments.onGatewayCall('refund', 'unknown', 4_000);
    const of = (suffix: string, call: string, outcome: string) =>
      `usher_gateway_call_duration_seconds_${suffix}{call="${call}",outcome="${outcome}"}`;
    expect(
      await samples(
        subject,
        of('count', 'charge', 'approved'),
        of('sum', 'charge', 'approved'),
        of('count', 'refund', 'unknown'),
      ),
    ).toEqual([2, 1.2, 1]);
  });

  test('has its breaker shown, its openings counted, and each of them logged', async () => {
    const subject = metrics();
    const of = (state: string) => `usher_gateway_breaker_state{state="${state}"}`;
    const breaker = () =>
      samples(subject, of('closed'), of('half-open'), of('open'), 'usher_gateway_breaker_openings_total');
    expect(await breaker()).toEqual([1, 0, 0, 0]);
    subject.payments.onBreaker('open');
    expect(await breaker()).toEqual([0, 0, 1, 1]);
    subject.payments.onBreaker('half-open');
    subject.payments.onBreaker('open');
    expect(await breaker()).toEqual([0, 0, 1, 2]);
    subject.payments.onBreaker('half-open');
    subject.payments.onBreaker('closed');
    expect(await breaker()).toEqual([1, 0, 0, 2]);
    expect(logged).toHaveLength(2);
  });
});
