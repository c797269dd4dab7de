import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import type { ReservationRef } from '../../../../src/actors/allocator/ids.ts';
import {
  LedgerOverloaded,
  LedgerRefused,
  LedgerUnavailable,
  type PointsEntry,
} from '../../../../src/actors/runtime/ledger.ts';
import {
  balanceResponse,
  chargeResponse,
  entriesResponse,
} from '../../../../src/http/routes/response-schemas.ts';
import { type Call, call } from '../client.ts';
import { atHold, authorized, openPublicPort, type PublicPortOptions, tokenFrom } from '../open-port.ts';
import { heldAtMs } from '../theatre.ts';

const noStore = { 'cache-control': 'private, no-store' };

async function openPort(options: PublicPortOptions = {}) {
  const open = await openPublicPort({ nowMs: atHold, ...options });
  const headers = await authorized(open.port);
  const ask = (path: string, options: Call = {}) =>
    call(open.port, path, { ...options, headers: { ...headers, ...options.headers } });
  const charge = (options: Call = {}) =>
    ask('/points/charge', {
      method: 'POST',
      body: { amount: 500 },
      ...options,
      headers: { 'idempotency-key': 'k-1', ...options.headers },
    });
  return Object.assign(open, { ask, charge, headers });
}

describe('a charge', () => {
  test('is made for the token’s user, with the time of now', async () => {
    await using port = await openPort();
    port.ledger.onCharge = async () => ({ kind: 'charged', entryId: 7, balance: 1500, replayed: false });
    const answered = await port.charge();
    expect(answered).toMatchObject({ status: 200, headers: noStore });
    expect(answered.headers).not.toHaveProperty('idempotency-replayed');
    expect(v.parse(chargeResponse, answered.json)).toEqual({ userId: 'ada', balance: 1500, entryId: 7 });
    expect(port.ledger.charges).toEqual([
      {
        userId: 'ada',
        amount: 500,
        mark: { key: 'k-1', fingerprint: expect.any(Number) },
        atMs: heldAtMs,
      },
    ]);
  });

  test('made before has the same body, and says so', async () => {
    await using port = await openPort();
    const first = await port.charge();
    port.ledger.onCharge = async () => ({ kind: 'charged', entryId: 1, balance: 500, replayed: true });
    const again = await port.charge();
    expect(again).toMatchObject({
      status: 200,
      headers: { ...noStore, 'idempotency-replayed': 'true' },
      text: first.text,
    });
  });

  test('has its amount for its meaning', async () => {
    await using port = await openPort();
    const headers = { 'content-type': 'application/json' };
    await port.charge({ headers, body: '{"amount":500}' });
    await port.charge({ headers, body: '{ "amount" : 5e2 }' });
    await port.charge({ headers, body: '{"amount":501}' });
    const [first, second, third] = port.ledger.charges.map(({ mark }) => mark.fingerprint);
    expect(second).toBe(first);
    expect(third).not.toBe(first);
  });

  test.each([1, 10_000_000])('of %d', async (amount) => {
    await using port = await openPort();
    expect((await port.charge({ body: { amount } })).json).toMatchObject({ balance: amount });
  });

  test('under a key of another charge', async () => {
    await using port = await openPort();
    port.ledger.onCharge = async () => ({ kind: 'key-reused' });
    expect(await port.charge()).toMatchObject({ status: 422, json: { code: 'idempotency-key-reused' } });
  });

  test('that the account can’t take', async () => {
    await using port = await openPort();
    port.ledger.onCharge = async () => ({ kind: 'balance-limit' });
    expect(await port.charge()).toMatchObject({
      status: 400,
      json: {
        code: 'invalid-request',
        errors: [{ path: 'amount', message: 'must not take the balance beyond its limit' }],
      },
    });
  });
});

describe('a charge that is refused before the ledger is asked', () => {
  const json = { 'content-type': 'application/json' };
  const isInteger = 'must be an integer from 1 to 10000000';

  test.each<[name: string, options: Call, status: number, problem: object]>([
    ...[0, -1, 1.5, '5', 10_000_001, null, true, [5]].map((amount): [string, Call, number, object] => [
      `${JSON.stringify(amount)} points`,
      { body: { amount } },
      400,
      { code: 'invalid-request', errors: [{ path: 'amount', message: isInteger }] },
    ]),
    ['1e400 points', { headers: json, body: '{"amount":1e400}' }, 400, { code: 'malformed-json' }],
    ['2^53 points', { headers: json, body: '{"amount":9007199254740993}' }, 400, { code: 'malformed-json' }],
    ['no amount', { body: {} }, 400, { errors: [{ path: 'amount', message: 'is missing' }] }],
    [
      'another user',
      { body: { amount: 5, userId: 'eve' } },
      400,
      { errors: [{ path: 'userId', message: 'is not a known field' }] },
    ],
    ['a list', { body: [5] }, 400, { errors: [{ path: '', message: 'must be an object' }] }],
    ['text', { body: '{"amount":5}' }, 415, { code: 'unsupported-media-type' }],
    [
      'a wrong key',
      { headers: { 'idempotency-key': 'with space' } },
      400,
      { errors: [{ path: 'Idempotency-Key', message: 'must have 1 to 255 visible ASCII characters' }] },
    ],
    [
      'an empty key',
      { headers: { 'idempotency-key': '' } },
      400,
      { errors: [{ path: 'Idempotency-Key', message: 'must have 1 to 255 visible ASCII characters' }] },
    ],
    ['no token', { headers: { authorization: '' } }, 401, { code: 'unauthenticated' }],
    ['a body that is too large', { body: `"${'x'.repeat(16_384)}"` }, 413, { code: 'body-too-large' }],
  ])('%s', async (_name, options, status, problem) => {
    await using port = await openPort();
    expect(await port.charge(options)).toMatchObject({
      status,
      headers: { 'content-type': 'application/problem+json' },
      json: { status, ...problem },
    });
    expect(port.ledger.charges).toEqual([]);
  });

  test('no key', async () => {
    await using port = await openPort();
    const answered = await port.ask('/points/charge', { method: 'POST', body: { amount: 5 } });
    expect(answered).toMatchObject({
      status: 400,
      json: { code: 'invalid-request', errors: [{ path: 'Idempotency-Key', message: 'is missing' }] },
    });
    expect(port.ledger.charges).toEqual([]);
  });
});

describe('the balance', () => {
  test('is the user’s own', async () => {
    await using port = await openPort();
    port.ledger.onBalance = async () => 1234;
    const answered = await port.ask('/points/balance');
    expect(answered).toMatchObject({ status: 200, headers: noStore });
    expect(v.parse(balanceResponse, answered.json)).toEqual({ userId: 'ada', balance: 1234 });
    expect(port.ledger.balanceReads).toEqual(['ada']);
  });

  test('of another user can’t be asked for', async () => {
    await using port = await openPort();
    expect(await port.ask('/points/balance?userId=eve')).toMatchObject({
      status: 400,
      json: { errors: [{ path: 'userId', message: 'is not a known field' }] },
    });
    expect(port.ledger.balanceReads).toEqual([]);
  });
});

describe('the entries', () => {
  const reservation = { scheduleId: 1, number: 3 } as ReservationRef;
  const entries: readonly PointsEntry[] = [
    { entryId: 9, kind: 'refund', amount: 7000, balanceAfter: 8000, reservation, atMs: heldAtMs + 2 },
    { entryId: 5, kind: 'payment', amount: -7000, balanceAfter: 1000, reservation, atMs: heldAtMs + 1 },
    { entryId: 2, kind: 'charge', amount: 8000, balanceAfter: 8000, atMs: heldAtMs },
  ];

  test('page by page', async () => {
    await using port = await openPort();
    port.ledger.onEntries = async ({ beforeEntryId = Number.POSITIVE_INFINITY, limit }) => {
      const older = entries.filter(({ entryId }) => entryId < beforeEntryId);
      return { entries: older.slice(0, limit), hasMore: older.length > limit };
    };
    const first = await port.ask('/points/entries?limit=2');
    expect(first).toMatchObject({ status: 200, headers: noStore });
    const page = v.parse(entriesResponse, first.json);
    expect(page).toEqual({
      entries: [
        {
          entryId: 9,
          kind: 'refund',
          amount: 7000,
          balanceAfter: 8000,
          reservationId: '1-3',
          at: '2026-12-01T11:00:00.002Z',
        },
        {
          entryId: 5,
          kind: 'payment',
          amount: -7000,
          balanceAfter: 1000,
          reservationId: '1-3',
          at: '2026-12-01T11:00:00.001Z',
        },
      ],
      nextCursor: expect.stringMatching(/^[A-Za-z0-9_-]+$/),
    });

    const second = await port.ask(`/points/entries?limit=2&cursor=${page.nextCursor}`);
    expect(v.parse(entriesResponse, second.json)).toEqual({
      entries: [
        { entryId: 2, kind: 'charge', amount: 8000, balanceAfter: 8000, at: '2026-12-01T11:00:00.000Z' },
      ],
      nextCursor: null,
    });
    expect(port.ledger.queries).toEqual([
      { userId: 'ada', limit: 2 },
      { userId: 'ada', limit: 2, beforeEntryId: 5 },
    ]);
  });

  test('are 20 where nothing is said, and none at first', async () => {
    await using port = await openPort();
    const answered = await port.ask('/points/entries');
    expect(v.parse(entriesResponse, answered.json)).toEqual({ entries: [], nextCursor: null });
    expect(port.ledger.queries).toEqual([{ userId: 'ada', limit: 20 }]);
  });

  test.each([
    ['limit=0', 'limit', 'must be an integer from 1 to 100'],
    ['limit=101', 'limit', 'must be an integer from 1 to 100'],
    ['limit=1.5', 'limit', 'must be an integer from 1 to 100'],
    ['userId=eve', 'userId', 'is not a known field'],
    ['limit=1&limit=2', 'limit', 'is given more than once'],
  ])('%s', async (query, path, message) => {
    await using port = await openPort();
    expect(await port.ask(`/points/entries?${query}`)).toMatchObject({
      status: 400,
      json: { errors: [{ path, message }] },
    });
    expect(port.ledger.queries).toEqual([]);
  });

  const cursorOf = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

  test.each([
    '',
    'x',
    'bm90IGpzb24',
    cursorOf({}),
    cursorOf(5),
    cursorOf([]),
    cursorOf([0]),
    cursorOf([1.5]),
    cursorOf(['5']),
    cursorOf([5, 5]),
    `${cursorOf([5])}=`,
  ])('cursor=%s', async (cursor) => {
    await using port = await openPort();
    expect(await port.ask(`/points/entries?cursor=${cursor}`)).toMatchObject({
      status: 400,
      json: { errors: [{ path: 'cursor', message: 'must be the nextCursor of a page before' }] },
    });
    expect(port.ledger.queries).toEqual([]);
  });
});

const routes: readonly (readonly [path: string, method: string, scope: string])[] = [
  ['/points/charge', 'POST', 'points:charge'],
  ['/points/balance', 'GET', 'points:read'],
  ['/points/entries', 'GET', 'points:read'],
];

const optionsOf = (method: string): Call =>
  method === 'POST' ? { method, body: { amount: 5 }, headers: { 'idempotency-key': 'k' } } : { method };

describe.each(routes)('%s', (path, method, scope) => {
  test('needs its scope, and no other', async () => {
    await using port = await openPort();
    const others = ['reserve', 'pay', 'points:read', 'points:charge'].filter((other) => other !== scope);
    const options = optionsOf(method);
    const asked = async (scopes: readonly string[]) => {
      const authorization = `Bearer ${await tokenFrom(port.port, 'ada', scopes)}`;
      return port.ask(path, { ...options, headers: { ...options.headers, authorization } });
    };
    expect(await asked(others)).toMatchObject({
      status: 403,
      headers: { 'www-authenticate': expect.stringContaining(`scope="${scope}"`) },
      json: { code: 'forbidden', missingScopes: [scope], detail: expect.stringContaining(scope) },
    });
    const { charges, balanceReads, queries } = port.ledger;
    expect([...charges, ...balanceReads, ...queries]).toEqual([]);
    expect((await asked([scope])).status).toBe(200);
  });

  test('knows no other method', async () => {
    await using port = await openPort();
    const allow = method === 'GET' ? 'GET, HEAD' : 'POST';
    for (const other of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
      if (other === method) continue;
      expect(await port.ask(path, { method: other })).toMatchObject({ status: 405, headers: { allow } });
    }
  });

  const fail = (port: Awaited<ReturnType<typeof openPort>>, error: Error) => {
    const failing = () => Promise.reject(error);
    Object.assign(port.ledger, { onCharge: failing, onBalance: failing, onEntries: failing });
  };

  test('while the ledger has no room', async () => {
    await using port = await openPort();
    fail(port, new LedgerOverloaded());
    expect(await port.ask(path, optionsOf(method))).toMatchObject({
      status: 503,
      headers: { 'retry-after': '1' },
      json: { code: 'overloaded', retryable: true },
    });
    expect(port.log, 'a flood is not written down call by call').toEqual([]);
  });

  test('while the ledger does not answer', async () => {
    await using port = await openPort();
    fail(port, new LedgerUnavailable());
    const answered = await port.ask(path, optionsOf(method));
    expect(answered).toMatchObject({
      status: 503,
      headers: { 'retry-after': '1' },
      json: { code: 'store-unavailable', retryable: true, detail: expect.stringContaining('same key') },
    });
    expect(port.log).toMatchObject([
      { level: 'warn', fields: { requestId: answered.headers['x-request-id'] } },
    ]);
  });

  test.each([
    ['has a bug', new Error('secret detail')],
    ['refuses what contradicts it', new LedgerRefused('secret detail')],
  ])('when the ledger %s', async (_name, error) => {
    await using port = await openPort();
    fail(port, error);
    const answered = await port.ask(path, optionsOf(method));
    expect(answered).toMatchObject({ status: 500, json: { code: 'internal-error' } });
    expect(answered.headers).not.toHaveProperty('retry-after');
    expect(answered.text).not.toContain('secret detail');
    expect(port.log).toMatchObject([{ level: 'error', fields: { err: error } }]);
  });
});
