import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import type { PaymentId } from '../../../../src/actors/allocator/ids.ts';
import type { Rejection } from '../../../../src/actors/allocator/rejection.ts';
import type { Outcome } from '../../../../src/actors/runtime/outcome.ts';
import { StoreUnavailable } from '../../../../src/actors/runtime/ports.ts';
import { reservationResponse } from '../../../../src/http/routes/response-schemas.ts';
import { type Call, call } from '../client.ts';
import { authorized, openPublicPort, type PublicPortOptions, tokenFrom } from '../open-port.ts';
import { heldAtMs, reservationView } from '../theatre.ts';

const paymentId = '1-3-8' as PaymentId;
const paying = {
  kind: 'reservation',
  view: reservationView({ status: 'PAYING', paymentId, seq: 8 }),
  replayed: false,
} satisfies Outcome;
const paid = {
  kind: 'reservation',
  view: reservationView({ status: 'PAID', paymentId, paidAtMs: heldAtMs + 60_007, seq: 9 }),
  replayed: false,
} satisfies Outcome;
const byPoints = { reservationId: '1-3', method: 'points' };
const byCard = { reservationId: '1-3', method: 'card', cardToken: 'tok_1' };

async function openPort(options: PublicPortOptions = {}) {
  const open = await openPublicPort(options);
  const headers = await authorized(open.port);
  const pay = (options: Call) =>
    call(open.port, '/reservations/pay', {
      method: 'POST',
      ...options,
      headers: { ...headers, ...options.headers },
    });
  return Object.assign(open, { pay, headers });
}

describe('a payment that is made', () => {
  test('is answered with the paid reservation', async () => {
    await using port = await openPort();
    port.service.answerPayments(paid);
    const answered = await port.pay({ body: byPoints });

    expect(port.service.payments).toEqual([
      { ref: { scheduleId: 1, number: 3 }, userId: 'ada', method: 'points' },
    ]);
    expect(answered).toMatchObject({
      status: 200,
      headers: { 'content-type': 'application/json', 'cache-control': 'private, no-store' },
    });
    for (const name of ['location', 'retry-after', 'idempotency-replayed']) {
      expect(answered.headers).not.toHaveProperty(name);
    }
    expect(v.parse(reservationResponse, answered.json)).toMatchObject({
      reservationId: '1-3',
      status: 'PAID',
      totalMinor: 7000,
      expiresInSeconds: 0,
      paymentId: '1-3-8',
      paidAt: '2026-12-01T11:01:00.007Z',
      seq: 9,
    });
  });

  test('by card', async () => {
    await using port = await openPort();
    port.service.answerPayments(paid);
    expect((await port.pay({ body: byCard })).status).toBe(200);
    expect(port.service.payments).toEqual([
      { ref: { scheduleId: 1, number: 3 }, userId: 'ada', method: 'card', cardToken: 'tok_1' },
    ]);
  });

  test('with a key, replayed', async () => {
    await using port = await openPort();
    port.service.answerPayments({ ...paid, replayed: true });
    const answered = await port.pay({ body: byPoints, headers: { 'idempotency-key': 'k-1' } });
    expect(answered).toMatchObject({
      status: 200,
      headers: { 'idempotency-replayed': 'true' },
      json: { paymentId: '1-3-8' },
    });
    expect(port.service.payments).toMatchObject([
      { idempotency: { key: 'k-1', fingerprint: expect.any(Number) } },
    ]);
  });

  test('the same meaning has the same fingerprint, whatever the bytes', async () => {
    await using port = await openPort();
    port.service.answerPayments(paid);
    const headers = { 'idempotency-key': 'k', 'content-type': 'application/json' };
    await port.pay({ headers, body: '{"reservationId":"1-3","method":"points"}' });
    await port.pay({ headers, body: '{ "method": "p\\u006fints", "reservationId": "1-3" }' });
    await port.pay({ headers, body: '{"reservationId":"1-4","method":"points"}' });
    const [first, second, third] = port.service.payments.map(({ idempotency }) => idempotency?.fingerprint);
    expect(first).toEqual(expect.any(Number));
    expect(second).toBe(first);
    expect(third).not.toBe(first);
  });

  test('later: the answer waits for it', async () => {
    await using port = await openPort();
    port.service.onPay = (_request, reply) => setTimeout(() => reply(paid), 20);
    expect((await port.pay({ body: byPoints })).status).toBe(200);
  });

  test('by another spelling of the path', async () => {
    await using port = await openPort();
    port.service.answerPayments(paid);
    const { headers } = port;
    const answered = await call(port.port, '/reservations/pay?', {
      method: 'POST',
      headers,
      body: byPoints,
    });
    expect(answered).toMatchObject({ status: 200, json: { status: 'PAID' } });
  });
});

test('a payment that goes on is answered with where to look', async () => {
  await using port = await openPort();
  port.service.answerPayments(paying);
  const answered = await port.pay({ body: byCard });
  expect(answered).toMatchObject({
    status: 202,
    headers: {
      location: '/reservations/1-3',
      'retry-after': '1',
      'cache-control': 'private, no-store',
      'content-type': 'application/json',
    },
  });
  const shown = v.parse(reservationResponse, answered.json);
  expect(shown).toMatchObject({ status: 'PAYING', paymentId: '1-3-8', expiresInSeconds: 0 });
  expect(shown).not.toHaveProperty('paidAt');
});

describe('a payment that is refused by the allocator', () => {
  test.each<[rejection: Rejection, status: number, members: object]>([
    [
      { code: 'insufficient-points', balance: 12, requiredMinor: 7000 },
      402,
      { balance: 12, requiredMinor: 7000 },
    ],
    [
      { code: 'payment-declined', declineCode: 'insufficient_funds' },
      402,
      { declineCode: 'insufficient_funds' },
    ],
    [{ code: 'not-found' }, 404, { detail: 'There is no such reservation.' }],
    [{ code: 'already-paid' }, 409, { retryable: false }],
    [{ code: 'already-cancelled' }, 409, { retryable: false }],
    [{ code: 'payment-in-progress' }, 409, { retryable: true }],
    [{ code: 'hold-expired' }, 410, {}],
    [{ code: 'idempotency-key-reused' }, 422, {}],
    [{ code: 'hold-limit-reached' }, 422, {}],
  ])('%j', async (rejection, status, members) => {
    await using port = await openPort();
    port.service.answerPayments({ kind: 'rejected', rejection });
    expect(await port.pay({ body: byPoints })).toMatchObject({
      status,
      headers: { 'content-type': 'application/problem+json' },
      json: { status, code: rejection.code, ...members },
    });
  });

  test.each(['gateway-unavailable', 'overloaded', 'store-unavailable', 'shard-moving', 'not-ready'] as const)(
    '%s',
    async (code) => {
      await using port = await openPort();
      port.service.answerPayments({ kind: 'unavailable', code, retryAfterSeconds: 7 });
      expect(await port.pay({ body: byCard })).toMatchObject({
        status: 503,
        headers: { 'retry-after': '7' },
        json: { code, retryable: true },
      });
    },
  );
});

describe('a payment that is refused before anybody is asked', () => {
  const json = { 'content-type': 'application/json' };

  test.each<[name: string, options: Call, status: number, problem: object]>([
    ['no token', { headers: { authorization: '' } }, 401, { code: 'unauthenticated' }],
    ['no JSON', { body: '{', headers: json }, 400, { code: 'malformed-json' }],
    ['an empty body', { headers: json }, 400, { detail: 'The body is empty.' }],
    ['no content type', { body: Buffer.from('{}') }, 415, { code: 'unsupported-media-type' }],
    [
      'a form',
      { body: 'method=points', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
      415,
      { code: 'unsupported-media-type' },
    ],
    [
      'a wrong key',
      { body: byPoints, headers: { 'idempotency-key': 'with space' } },
      400,
      { errors: [{ path: 'Idempotency-Key', message: 'must have 1 to 255 visible ASCII characters' }] },
    ],
    [
      'an amount',
      { body: { ...byPoints, totalMinor: 1 } },
      400,
      { errors: [{ path: 'totalMinor', message: 'is not a known field' }] },
    ],
    [
      'a user',
      { body: { ...byPoints, userId: 'eve' } },
      400,
      { errors: [{ path: 'userId', message: 'is not a known field' }] },
    ],
    [
      'a card without a token',
      { body: { reservationId: '1-3', method: 'card' } },
      400,
      { errors: [{ path: 'cardToken', message: 'is missing' }] },
    ],
    [
      'a card token with points',
      { body: { ...byCard, method: 'points' } },
      400,
      { errors: [{ path: 'cardToken', message: 'is for cards only' }] },
    ],
    ['a body that is too large', { body: { ...byCard, cardToken: 'x'.repeat(16_384) } }, 413, {}],
  ])('%s', async (_name, options, status, problem) => {
    await using port = await openPort();
    expect(await port.pay(options)).toMatchObject({
      status,
      headers: { 'content-type': 'application/problem+json' },
      json: { status, requestId: expect.any(String), ...problem },
    });
    expect(port.service.payments).toEqual([]);
  });

  test('a query', async () => {
    await using port = await openPort();
    const { headers } = port;
    const options = { method: 'POST', headers, body: byPoints };
    expect(await call(port.port, '/reservations/pay?now=1', options)).toMatchObject({
      status: 400,
      json: { errors: [{ path: 'now', message: 'is not a known field' }] },
    });
    expect(port.service.payments).toEqual([]);
  });

  test('a card where none are taken; points still are', async () => {
    await using port = await openPort();
    port.service.takesCards = false;
    port.service.answerPayments(paid);
    expect(await port.pay({ body: byCard })).toMatchObject({
      status: 400,
      json: {
        code: 'invalid-request',
        errors: [{ path: 'method', message: 'must be points: this service takes no cards' }],
      },
    });
    expect(port.service.payments).toEqual([]);
    expect((await port.pay({ body: byPoints })).status).toBe(200);
  });

  test('a token for something else', async () => {
    await using port = await openPort();
    const token = await tokenFrom(port.port, 'ada', ['reserve', 'points:read', 'points:charge']);
    const answered = await port.pay({ body: byPoints, headers: { authorization: `Bearer ${token}` } });
    expect(answered).toMatchObject({
      status: 403,
      headers: { 'www-authenticate': expect.stringContaining('scope="pay"') },
      json: { code: 'forbidden', missingScopes: ['pay'], detail: expect.stringContaining('pay') },
    });
    expect(port.service.payments).toEqual([]);
  });

  test.each(['GET', 'HEAD', 'DELETE', 'PUT', 'PATCH', 'OPTIONS'])('%s', async (method) => {
    await using port = await openPort();
    const answered = await port.pay({ method });
    expect(answered).toMatchObject({ status: 405, headers: { allow: 'POST' } });
    expect(port.service.payments).toEqual([]);
  });
});

test('pay is its only scope', async () => {
  await using port = await openPort();
  port.service.answerPayments(paid);
  const token = await tokenFrom(port.port, 'ada', ['pay']);
  const headers = { authorization: `Bearer ${token}` };
  expect((await port.pay({ body: byPoints, headers })).status).toBe(200);
});

test('a rate limit counts payments', async () => {
  await using port = await openPort({ rateLimit: { requestsMax: 1, windowSeconds: 60 } });
  port.service.answerPayments(paid);
  expect((await port.pay({ body: byPoints })).status).toBe(200);
  expect(await port.pay({ body: byPoints })).toMatchObject({
    status: 429,
    headers: { 'retry-after': expect.stringMatching(/^\d+$/) },
    json: { code: 'rate-limited' },
  });
  expect(port.service.payments).toHaveLength(1);
});

describe('when something breaks', () => {
  test('the hall can’t be loaded', async () => {
    await using port = await openPort();
    port.service.answerPayments(paid);
    port.service.catalog.failure = new StoreUnavailable('gone');
    expect(await port.pay({ body: byPoints })).toMatchObject({
      status: 503,
      headers: { 'retry-after': '1' },
      json: { code: 'store-unavailable' },
    });
  });

  test('the allocator throws: what is logged has neither token, key nor card', async () => {
    await using port = await openPort();
    port.service.onPay = () => {
      throw new Error('broken');
    };
    const answered = await port.pay({ body: byCard, headers: { 'idempotency-key': 'my-key' } });
    expect(answered).toMatchObject({ status: 500, json: { code: 'internal-error' } });
    const written = JSON.stringify(port.log);
    expect(written).toContain(answered.headers['x-request-id']);
    for (const secret of ['my-key', 'tok_1', port.headers.authorization]) {
      expect(written).not.toContain(secret);
    }
  });

  test.each<[name: string, outcome: Outcome]>([
    ['no reservation', { kind: 'cancelled' }],
    ['a hold', { kind: 'reservation', view: reservationView(), replayed: false }],
    ['a payment without a name', { ...paid, view: reservationView({ status: 'PAID' }) }],
  ])('the allocator answers with %s', async (_name, outcome) => {
    await using port = await openPort();
    const thrown: unknown[] = [];
    let replies = 0;
    port.service.onPay = (_request, reply) => {
      replies += 1;
      try {
        reply(outcome);
      } catch (error) {
        thrown.push(error);
      }
    };
    expect((await port.pay({ body: byPoints })).status).toBe(500);
    expect({ replies, thrown }, 'a reply never throws into the runtime').toEqual({ replies: 1, thrown: [] });
  });
});
