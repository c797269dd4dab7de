import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type SandboxGateway, startSandboxGateway } from '../../src/ledger/sandbox/sandbox-gateway.ts';
import { auditFaults, Buyer, chargesOf, type Told } from './buyer.ts';
import { createHall } from './small-hall.ts';
import { temporaryDirectory, UsherProcess } from './usher-process.ts';

/** A card gateway that is slow, goes down, and comes back: nothing else feels it, and every payment ends. */
const directory = temporaryDirectory();
let sandbox: SandboxGateway;
let usher: UsherProcess;
let ada: Buyer;
let scheduleId: number;
let seatIds: string[];

beforeAll(async () => {
  sandbox = await startSandboxGateway({ host: '127.0.0.1', port: 0 });
  usher = await UsherProcess.start(directory.path, {
    STRIPE_API_URL: sandbox.url,
    STRIPE_API_KEY: 'sandbox',
    PAY_WAIT_MAX_MS: '1000',
    GATEWAY_BREAKER_OPEN_MS: '1000',
  });
  const hall = await createHall(usher, { rows: 20, seatsPerRow: 10 });
  scheduleId = hall.scheduleId;
  seatIds = [...hall.seatIds];
  ada = await Buyer.of(usher, 'ada');
  await ada.charge(usher, 1_000_000, 'first');
});

beforeEach(() => turn('delay', { ms: 0 }));

afterAll(async () => {
  await usher?.stop('SIGKILL');
  await sandbox?.close();
  directory.remove();
});

async function turn(what: 'down' | 'up' | 'delay', body: object): Promise<void> {
  const answer = await fetch(`${sandbox.url}/sandbox/${what}`, {
    method: 'POST',
    body: JSON.stringify(body),
  });
  expect(answer.ok).toBe(true);
}

const holdOne = (): Promise<string> => ada.hold(usher, scheduleId, seatIds.pop() ?? '');

async function timed<T>(work: Promise<T>): Promise<{ result: T; ms: number }> {
  const startedMs = performance.now();
  const result = await work;
  return { result, ms: performance.now() - startedMs };
}

/** Where the breaker is, by /metrics. */
async function breaker(): Promise<string> {
  const text = await (await usher.admin('GET', '/metrics')).text();
  return /usher_gateway_breaker_state\{state="([a-z-]+)"\} 1/.exec(text)?.[1] ?? 'unknown';
}

/** A hold and a payment by points, ten times, one after the other: how long each of the calls took. */
async function holdsAndPaymentsMs(name: string): Promise<readonly number[]> {
  const tookMs: number[] = [];
  for (let n = 0; n < 10; n++) {
    const hold = await timed(holdOne());
    const payment = await timed(ada.pay(usher, hold.result, undefined, `${name}-${n}`));
    expect(payment.result.status, payment.result.text).toBe(200);
    tookMs.push(hold.ms, payment.ms);
  }
  return tookMs;
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

describe('the gateway takes 5 s a call', () => {
  test('cards are answered 202 in time, the rest keeps its speed, the breaker opens and closes again', async () => {
    await holdsAndPaymentsMs('warm-up');
    const usualMs = median(await holdsAndPaymentsMs('before'));
    await turn('delay', { ms: 5_000 });
    const reservationIds = await Promise.all(Array.from({ length: 8 }, holdOne));
    const paying = reservationIds.map((id) => timed(ada.pay(usher, id, 'approve', `pay-${id}`)));

    // Meanwhile, in the same node, on whatever machine this is.
    const slowestMs = Math.max(...(await holdsAndPaymentsMs('meanwhile')));
    expect(slowestMs, `usually ${usualMs} ms`).toBeLessThan(10 * usualMs + 100);

    for (const { result, ms } of await Promise.all(paying)) {
      expect(result.status, result.text).toBe(202);
      expect(result.body).toMatchObject({ status: 'PAYING', expiresInSeconds: 0 });
      expect(result.headers.get('retry-after')).toBe('1');
      expect(ms).toBeGreaterThan(900);
      expect(ms).toBeLessThan(3_000);
    }

    await expect.poll(breaker, { timeout: 15_000 }).toBe('open');
    const next = await holdOne();
    const turnedAway = await untilTurnedAway(next);
    expect(turnedAway.headers.get('retry-after')).toBeTruthy();
    expect(turnedAway.body).toMatchObject({ code: 'gateway-unavailable', retryable: true });
    expect(await ada.read(usher, next), 'nothing has happened').toMatchObject({ status: 'HELD' });

    await turn('delay', { ms: 0 });
    for (const id of reservationIds) {
      expect(await ada.settled(usher, id, 'PAYING', 30_000)).toMatchObject({ status: 'PAID' });
      const charges = await chargesOf(sandbox.url, id);
      expect(charges.map(({ amount, refunds }) => [amount, refunds.length])).toEqual([[4_500, 0]]);
      const again = await ada.pay(usher, id, 'approve', `pay-${id}`);
      expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([200, 'true']);
    }
    await expect.poll(breaker, { timeout: 10_000 }).toBe('closed');
    expect((await ada.pay(usher, next, 'approve', 'after')).status).toBe(200);
    expect(await auditFaults(usher, scheduleId)).toEqual([]);
  });

  /** Half-open lets one call through, so a payment may slip in; the next one is turned away. */
  async function untilTurnedAway(reservationId: string): Promise<Told> {
    for (let attempt = 0; ; attempt++) {
      const id = attempt === 0 ? reservationId : await holdOne();
      const told = await ada.pay(usher, id, 'approve', `turned-${attempt}`);
      if (told.status === 503 || attempt === 10) return told;
    }
  }
});

test('down in the middle of payments, and back: each is charged once', async () => {
  const reservationIds = await Promise.all(Array.from({ length: 6 }, holdOne));
  await turn('delay', { ms: 200 });
  const paying = reservationIds.map((id) => ada.pay(usher, id, 'approve', `pay-${id}`));
  await new Promise((resolve) => setTimeout(resolve, 100));
  await turn('down', { seconds: 2 });
  const answers = await Promise.all(paying);
  expect(answers.map(({ status }) => status).every((status) => status === 202 || status === 200)).toBe(true);
  for (const id of reservationIds) {
    expect(await ada.settled(usher, id, 'PAYING', 30_000)).toMatchObject({ status: 'PAID' });
    expect(await chargesOf(sandbox.url, id)).toHaveLength(1);
  }
  expect(await auditFaults(usher, scheduleId)).toEqual([]);
});
