/**
 * Charge and book, a process of its own: people who charge points, look at their balance and at the hall, hold
 * seats and pay, cancel or let them go, at so many requests a second in all. Loopback only. Reads a BookingPlan
 * from its environment, prints a BookingResult as JSON.
 */
import { Agent, request } from 'node:http';
import { performance } from 'node:perf_hooks';
import type { BookingPlan, BookingResult } from './booking-plan.ts';

const plan: BookingPlan = JSON.parse(process.env['BOOKING_PLAN'] ?? '{}');
if (plan.host !== '127.0.0.1') throw new Error('load goes to loopback only');

const agent = new Agent({ keepAlive: true, maxSockets: 64 });
const statuses = new Map<string, number>();
const latenciesMs: number[] = [];
const etags = new Map<number, string>();
let asked = 0;

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly etag: string | undefined;
}

interface Call {
  readonly path: string;
  readonly method?: 'GET' | 'POST' | 'DELETE';
  readonly body?: object;
  readonly headers?: Record<string, string>;
}

/** Requests are due at even distances, whoever makes them. */
const everyMs = 1_000 / plan.requestsPerSecond;
const startedMs = performance.now();
let nextDueMs = startedMs;

async function due(): Promise<void> {
  const dueMs = nextDueMs;
  nextDueMs += everyMs;
  const waitMs = dueMs - performance.now();
  if (waitMs > 1) await new Promise((resolve) => setTimeout(resolve, waitMs));
}

async function call(token: string, { path, method = 'GET', body, headers = {} }: Call): Promise<Answer> {
  await due();
  const sentMs = performance.now();
  const text = body === undefined ? undefined : JSON.stringify(body);
  asked += 1;
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const sending = request(
    {
      agent,
      host: plan.host,
      port: plan.port,
      path,
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(method === 'POST' && { 'idempotency-key': `${plan.keyPrefix}-${asked}` }),
        ...(text !== undefined && { 'content-type': 'application/json', 'content-length': text.length }),
        ...headers,
      },
    },
    (incoming) => {
      let received = '';
      incoming.setEncoding('utf8');
      incoming.on('data', (chunk: string) => {
        received += chunk;
      });
      incoming.once('end', () =>
        resolve({ status: incoming.statusCode ?? 0, text: received, etag: incoming.headers.etag }),
      );
    },
  );
  sending.once('error', reject);
  sending.end(text);
  const answer = await promise;
  latenciesMs.push(performance.now() - sentMs);
  const name = `${method} ${path.replace(/\?.*/, '').replace(/\/\d+-\d+/, '/{id}')} ${answer.status}`;
  statuses.set(name, (statuses.get(name) ?? 0) + 1);
  return answer;
}

async function visit(n: number): Promise<void> {
  const token = plan.tokens[n % plan.tokens.length]!;
  const scheduleId = plan.scheduleIds[n % plan.scheduleIds.length]!;
  await call(token, { path: `/reservations/available/dates?performanceId=${plan.performanceId}` });
  const seats = await call(token, {
    path: `/reservations/available/seat?scheduleId=${scheduleId}`,
    headers: { 'if-none-match': etags.get(scheduleId) ?? '', accept: 'application/octet-stream' },
  });
  if (seats.etag !== undefined) etags.set(scheduleId, seats.etag);
  await call(token, { path: '/points/balance' });
  await call(token, { path: '/points/charge', method: 'POST', body: { amount: 20_000 } });
  await call(token, { path: '/points/balance' });
  const hold = { scheduleId, bestAvailable: { quantity: 1 + (n % 3), adjacent: false } };
  const { status, text } = await call(token, { path: '/reservations', method: 'POST', body: hold });
  await call(token, { path: '/points/balance' });
  if (status !== 201) return;
  const { reservationId } = JSON.parse(text) as { reservationId: string };
  if (n % 10 === 0) await call(token, { path: `/reservations/${reservationId}`, method: 'DELETE' });
  else if (n % 10 !== 1) {
    const body = { reservationId, method: 'points' };
    await call(token, { path: '/reservations/pay', method: 'POST', body });
  }
  await call(token, { path: '/points/balance' });
  await call(token, { path: '/points/entries?limit=10' });
  await call(token, { path: '/reservations?limit=10' });
  await call(token, { path: '/points/balance' });
}

let visits = 0;
async function people(): Promise<void> {
  while (performance.now() - startedMs < plan.seconds * 1_000) await visit(visits++);
}

await Promise.all(Array.from({ length: plan.peopleAtOnce }, people));
latenciesMs.sort((a, b) => a - b);
const result: BookingResult = {
  requests: asked,
  requestsPerSecond: asked / ((performance.now() - startedMs) / 1_000),
  p99Ms: latenciesMs[Math.floor(latenciesMs.length * 0.99)] ?? 0,
  statuses: Object.fromEntries([...statuses].sort(([a], [b]) => (a < b ? -1 : 1))),
};
console.log(JSON.stringify(result));
agent.destroy();
