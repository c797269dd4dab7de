import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import type { UserId } from '../../../../src/actors/allocator/ids.ts';
import type { Outcome } from '../../../../src/actors/runtime/outcome.ts';
import { StoreUnavailable } from '../../../../src/actors/runtime/ports.ts';
import { reservationResponse } from '../../../../src/http/routes/response-schemas.ts';
import { type Call, call } from '../client.ts';
import { authorized, openPublicPort, type PublicPortOptions } from '../open-port.ts';
import { reservationView } from '../theatre.ts';

const held: Outcome = { kind: 'reservation', view: reservationView(), replayed: false };
const hold = { scheduleId: 1, seatIds: ['A-1', 'Ä-1'] };

async function openPort(options: PublicPortOptions = {}) {
  const open = await openPublicPort(options);
  const headers = await authorized(open.port);
  const post = (options: Call) =>
    call(open.port, '/reservations', {
      method: 'POST',
      ...options,
      headers: { ...headers, ...options.headers },
    });
  return Object.assign(open, { post, headers });
}

describe('a hold', () => {
  test('of named seats', async () => {
    await using port = await openPort();
    port.service.answer(held);
    const answered = await port.post({ body: hold });

    expect(port.service.submitted).toEqual([
      { scheduleId: 1, intent: { kind: 'hold', userId: 'ada', seatIds: ['A-1', 'Ä-1'] } },
    ]);
    expect(answered).toMatchObject({
      status: 201,
      headers: {
        'content-type': 'application/json',
        'content-length': String(answered.bytes.length),
        location: '/reservations/1-3',
        'x-request-id': expect.stringMatching(/^\S+$/),
      },
    });
    expect(answered.headers).not.toHaveProperty('idempotency-replayed');
    expect(v.parse(reservationResponse, answered.json)).toEqual({
      reservationId: '1-3',
      scheduleId: 1,
      status: 'HELD',
      seats: [
        { seatId: 'A-1', section: 'Stalls', row: 'A', number: '1', category: 'Standard', priceMinor: 4500 },
        {
          seatId: 'Ä-1',
          section: 'Balcony \\ "left"',
          row: 'Ä',
          number: '1',
          category: 'Rang 2',
          priceMinor: 2500,
        },
      ],
      totalMinor: 7000,
      currency: 'EUR',
      heldAt: '2026-12-01T11:00:00.000Z',
      expiresAt: '2026-12-01T11:05:00.000Z',
      expiresInSeconds: 300,
      seq: 7,
    });
  });

  test.each([
    [{ quantity: 2 }, { quantity: 2, adjacent: true }],
    [
      { quantity: 3, category: 'Rang 2', section: 'Stalls', adjacent: false },
      { quantity: 3, category: 'Rang 2', section: 'Stalls', adjacent: false },
    ],
  ])('of the best: %j', async (bestAvailable, wanted) => {
    await using port = await openPort();
    port.service.answer(held);
    const answered = await port.post({ body: { scheduleId: 1, bestAvailable } });
    expect(answered.status).toBe(201);
    expect(port.service.submitted).toEqual([
      { scheduleId: 1, intent: { kind: 'hold-best', userId: 'ada', ...wanted } },
    ]);
  });

  test('with a key, replayed', async () => {
    await using port = await openPort();
    port.service.answer({ ...held, replayed: true });
    const answered = await port.post({ body: hold, headers: { 'idempotency-key': 'k-1' } });
    expect(answered).toMatchObject({ status: 201, headers: { 'idempotency-replayed': 'true' } });
    expect(port.service.submitted).toMatchObject([
      { intent: { idempotency: { key: 'k-1', fingerprint: expect.any(Number) } } },
    ]);
  });

  test('the same meaning has the same fingerprint, whatever the bytes', async () => {
    await using port = await openPort();
    port.service.answer(held);
    const headers = { 'idempotency-key': 'k', 'content-type': 'application/json' };
    await port.post({ headers, body: '{"scheduleId":1,"seatIds":["A-1"]}' });
    await port.post({ headers, body: '{ "seatIds": ["\\u0041-1"], "scheduleId": 1.0 }' });
    await port.post({ headers, body: '{"scheduleId":1,"seatIds":["A-2"]}' });
    const [first, second, third] = port.service.submitted.map(({ intent }) =>
      'idempotency' in intent ? intent.idempotency?.fingerprint : undefined,
    );
    expect(first).toBe(second);
    expect(third).not.toBe(first);
  });

  test('whose answer comes later waits for it', async () => {
    await using port = await openPort();
    port.service.onSubmit = (_submitted, reply) => setTimeout(() => reply(held), 20);
    expect((await port.post({ body: hold })).status).toBe(201);
  });

  test('for a hall that is not at hand loads it once', async () => {
    await using port = await openPort();
    port.service.answer(held);
    await port.post({ body: hold });
    await port.post({ body: hold });
    expect(port.service.catalog.seatMaps).toBe(1);
  });

  test('of a user whose token is new: the body waits for the token', async () => {
    await using open = await openPublicPort();
    open.service.answer(held);
    const bodies = Array.from({ length: 5 }, (_, i) => ({ scheduleId: 1, seatIds: [`A-${i}`] }));
    const headers = await authorized(open.port);
    const answers = await Promise.all(
      bodies.map((body) => call(open.port, '/reservations', { method: 'POST', headers, body })),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array(5).fill(201));
  });

  test('in a body of many chunks', async () => {
    await using port = await openPort();
    port.service.answer(held);
    const body = `{"scheduleId":1,${' '.repeat(15_000)}"seatIds":["A-1"]}`;
    const headers = { 'content-type': 'application/json', 'transfer-encoding': 'chunked' };
    expect((await port.post({ body, headers })).status).toBe(201);
  });
});

describe('a hold that is refused before anybody is asked', () => {
  test.each<[name: string, options: Call, status: number, problem: object]>([
    ['no token', { headers: { authorization: '' } }, 401, { code: 'unauthenticated' }],
    [
      'no JSON',
      { body: '{', headers: { 'content-type': 'application/json' } },
      400,
      { code: 'malformed-json' },
    ],
    [
      'an empty body',
      { headers: { 'content-type': 'application/json' } },
      400,
      { detail: 'The body is empty.' },
    ],
    ['no content type', { body: Buffer.from('{}') }, 415, { code: 'unsupported-media-type' }],
    [
      'a form',
      { body: 'a=1', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
      415,
      { code: 'unsupported-media-type' },
    ],
    [
      'a wrong key',
      { body: hold, headers: { 'idempotency-key': 'with space' } },
      400,
      { errors: [{ path: 'Idempotency-Key', message: 'must have 1 to 255 visible ASCII characters' }] },
    ],
    [
      'a key that is too long',
      { body: hold, headers: { 'idempotency-key': 'k'.repeat(256) } },
      400,
      { code: 'invalid-request' },
    ],
    [
      'a wrong field',
      { body: { scheduleId: 1, seatIds: ['A-1'], userId: 'eve' } },
      400,
      { code: 'invalid-request', errors: [{ path: 'userId', message: 'is not a known field' }] },
    ],
  ])('%s', async (_name, options, status, problem) => {
    await using port = await openPort();
    expect(await port.post(options)).toMatchObject({
      status,
      headers: { 'content-type': 'application/problem+json' },
      json: { status, requestId: expect.any(String), ...problem },
    });
    expect(port.service.submitted).toEqual([]);
  });

  test('a query', async () => {
    await using port = await openPort();
    const { headers } = port;
    const answered = await call(port.port, '/reservations?dryRun=1', { method: 'POST', headers, body: hold });
    expect(answered.json).toMatchObject({
      code: 'invalid-request',
      errors: [{ path: 'dryRun', message: 'is not a known field' }],
    });
  });

  test('a wrong token is never asked for its body', async () => {
    await using port = await openPort();
    const answered = await port.post({ body: '{', headers: { authorization: 'Bearer x' } });
    expect(answered).toMatchObject({ status: 401, headers: { 'www-authenticate': expect.any(String) } });
  });
});

describe('when something breaks', () => {
  test('the hall can’t be loaded', async () => {
    await using port = await openPort();
    port.service.answer(held);
    port.service.catalog.failure = new StoreUnavailable('gone');
    const answered = await port.post({ body: hold });
    expect(answered).toMatchObject({
      status: 503,
      headers: { 'retry-after': '1' },
      json: { code: 'store-unavailable', retryable: true },
    });
    expect(port.log).toMatchObject([
      { level: 'warn', fields: { requestId: answered.headers['x-request-id'] } },
    ]);
  });

  test('the allocator throws', async () => {
    await using port = await openPort();
    port.service.onSubmit = () => {
      throw new Error('secret detail');
    };
    const answered = await port.post({ body: hold });
    expect(answered).toMatchObject({ status: 500, json: { code: 'internal-error' } });
    expect(answered.text).not.toContain('secret detail');
    expect(port.log).toMatchObject([
      { level: 'error', fields: { requestId: answered.headers['x-request-id'], err: expect.any(Error) } },
    ]);
  });

  test('the allocator answers with what is no reservation', async () => {
    await using port = await openPort();
    const thrown: unknown[] = [];
    port.service.onSubmit = (_submitted, reply) => {
      try {
        reply({ kind: 'cancelled' });
      } catch (error) {
        thrown.push(error);
      }
    };
    expect((await port.post({ body: hold })).status).toBe(500);
    expect(thrown, 'a reply never throws into the runtime').toEqual([]);
  });
});

test('what is logged of a failure has neither token nor key nor body', async () => {
  await using port = await openPort();
  port.service.onSubmit = () => {
    throw new Error('broken');
  };
  await port.post({ body: hold, headers: { 'idempotency-key': 'my-key' } });
  const written = JSON.stringify(port.log);
  expect(written).toContain('requestId');
  for (const secret of ['my-key', 'A-1', port.headers.authorization]) expect(written).not.toContain(secret);
});

test('a rate limit counts a user’s POSTs, and only those', async () => {
  await using port = await openPort({ rateLimit: { requestsMax: 2, windowSeconds: 60 } });
  port.service.answer({ ...held, view: reservationView({ userId: 'ada' as UserId }) });
  expect((await port.post({ body: hold })).status).toBe(201);
  expect((await call(port.port, '/reservations', { headers: port.headers })).status).toBe(200);
  expect((await port.post({ body: hold })).status).toBe(201);
  expect(await port.post({ body: hold })).toMatchObject({
    status: 429,
    headers: {
      'retry-after': expect.stringMatching(/^\d+$/),
      ratelimit: expect.stringMatching(/^"user";r=0;t=\d+$/),
      'ratelimit-policy': '"user";q=2;w=60',
    },
    json: { code: 'rate-limited', retryable: true },
  });
  const answered = await call(port.port, '/auth/token', { method: 'POST', body: { userId: 'bob' } });
  const { accessToken } = answered.json;
  const headers = { authorization: `Bearer ${accessToken}` };
  expect((await call(port.port, '/reservations', { method: 'POST', headers, body: hold })).status).toBe(201);
});
