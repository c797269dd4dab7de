import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import type { PaymentId, ScheduleId } from '../../../../src/actors/allocator/ids.ts';
import type { Rejection } from '../../../../src/actors/allocator/rejection.ts';
import type { Outcome } from '../../../../src/actors/runtime/outcome.ts';
import { StoreUnavailable } from '../../../../src/actors/runtime/ports.ts';
import { reservationResponse, reservationsResponse } from '../../../../src/http/routes/response-schemas.ts';
import { type Call, call } from '../client.ts';
import { atHold, authorized, openPublicPort } from '../open-port.ts';
import { heldAtMs, reservationView } from '../theatre.ts';

const held: Outcome = { kind: 'reservation', view: reservationView(), replayed: false };
const noStore = { 'cache-control': 'private, no-store' };

async function openPort() {
  const open = await openPublicPort({ nowMs: atHold });
  const headers = await authorized(open.port);
  const ask = (path: string, options: Call = {}) =>
    call(open.port, path, { ...options, headers: { ...headers, ...options.headers } });
  return Object.assign(open, { ask });
}

const paymentId = '1-3-8' as PaymentId;

describe('one reservation', () => {
  test('is read for its user', async () => {
    await using port = await openPort();
    const asked: unknown[] = [];
    port.service.onRead = (ref, userId, reply) => {
      asked.push({ ...ref, userId });
      reply(held);
    };
    const answered = await port.ask('/reservations/1-3');
    expect(answered).toMatchObject({ status: 200, headers: noStore });
    expect(v.parse(reservationResponse, answered.json)).toMatchObject({
      reservationId: '1-3',
      status: 'HELD',
    });
    expect(asked).toEqual([{ scheduleId: 1, number: 3, userId: 'ada' }]);
  });

  test.each([
    [{ status: 'HELD', asOfMs: heldAtMs + 60_001 }, { expiresInSeconds: 239 }],
    [{ status: 'HELD', asOfMs: heldAtMs + 400_000 }, { expiresInSeconds: 0 }],
    [
      { status: 'PAYING', paymentId },
      { status: 'PAYING', paymentId: '1-3-8', expiresInSeconds: 0 },
    ],
    [
      { status: 'PAID', paymentId, paidAtMs: heldAtMs + 1 },
      { status: 'PAID', paymentId: '1-3-8', paidAt: '2026-12-01T11:00:00.001Z', expiresInSeconds: 0 },
    ],
    [
      { status: 'CANCELLED', endedAtMs: heldAtMs + 1 },
      { status: 'CANCELLED', cancelledAt: '2026-12-01T11:00:00.001Z', expiresInSeconds: 0 },
    ],
    [
      { status: 'EXPIRED', endedAtMs: heldAtMs + 300_000 },
      { status: 'EXPIRED', expiredAt: '2026-12-01T11:05:00.000Z', expiresInSeconds: 0 },
    ],
  ] as const)('%j', async (changes, shown) => {
    await using port = await openPort();
    port.service.onRead = (_ref, _user, reply) => reply({ ...held, view: reservationView(changes) });
    const { json } = await port.ask('/reservations/1-3');
    expect(v.parse(reservationResponse, json)).toMatchObject(shown);
    for (const name of ['paymentId', 'paidAt', 'cancelledAt', 'expiredAt']) {
      expect(name in json, name).toBe(name in shown);
    }
  });

  test.each(['x', '1', '1-', '-1', '1-0', '01-1', '1-1-1', '1-9007199254740992', 'available'])(
    'that can’t be: %s',
    async (id) => {
      await using port = await openPort();
      for (const method of ['GET', 'DELETE']) {
        expect(await port.ask(`/reservations/${id}`, { method })).toMatchObject({
          status: 400,
          json: { errors: [{ path: 'reservationId', message: 'must be a reservation id, as in 12-3' }] },
        });
      }
    },
  );

  test('that is somebody else’s, or none', async () => {
    await using port = await openPort();
    expect(await port.ask('/reservations/1-3')).toMatchObject({
      status: 404,
      json: { code: 'not-found', detail: 'There is no such reservation.' },
    });
  });

  test('without a token', async () => {
    await using port = await openPort();
    expect((await call(port.port, '/reservations/1-3')).status).toBe(401);
  });
});

describe('cancelling', () => {
  test('says nothing more', async () => {
    await using port = await openPort();
    port.service.answer({ kind: 'cancelled' });
    const answered = await port.ask('/reservations/1-3', { method: 'DELETE' });
    expect(answered).toMatchObject({ status: 204, text: '' });
    expect(answered.headers).not.toHaveProperty('content-length');
    expect(port.service.submitted).toEqual([
      { scheduleId: 1, intent: { kind: 'cancel', userId: 'ada', number: 3 } },
    ]);
  });

  test.each<[rejection: Rejection, status: number]>([
    [{ code: 'not-found' }, 404],
    [{ code: 'already-paid' }, 409],
    [{ code: 'payment-in-progress' }, 409],
    [{ code: 'hold-expired' }, 410],
  ])('%j', async (rejection, status) => {
    await using port = await openPort();
    port.service.answer({ kind: 'rejected', rejection });
    expect(await port.ask('/reservations/1-3', { method: 'DELETE' })).toMatchObject({
      status,
      json: { code: rejection.code },
    });
  });
});

describe('extending', () => {
  const extend = '/reservations/1-3/extend';

  test('answers with the reservation', async () => {
    await using port = await openPort();
    port.service.answer(held);
    const answered = await port.ask(extend, { method: 'POST' });
    expect(answered).toMatchObject({ status: 200, headers: noStore, json: { reservationId: '1-3' } });
    expect(answered.headers).not.toHaveProperty('location');
    expect(port.service.submitted).toEqual([
      { scheduleId: 1, intent: { kind: 'extend', userId: 'ada', number: 3 } },
    ]);
  });

  test('with a key, replayed', async () => {
    await using port = await openPort();
    port.service.answer({ ...held, replayed: true });
    const answered = await port.ask(extend, { method: 'POST', headers: { 'idempotency-key': 'k' } });
    expect(answered).toMatchObject({ status: 200, headers: { 'idempotency-replayed': 'true' } });
    expect(port.service.submitted).toMatchObject([{ intent: { idempotency: { key: 'k' } } }]);
  });

  test.each<[name: string, options: Call, status: number, problem: object]>([
    ['an empty object', { body: {} }, 200, {}],
    [
      'a field',
      { body: { seconds: 60 } },
      400,
      { errors: [{ path: 'seconds', message: 'is not a known field' }] },
    ],
    ['a list', { body: [] }, 400, { errors: [{ path: '', message: 'must be an object' }] }],
    ['text', { body: '{}' }, 415, { code: 'unsupported-media-type' }],
    ['a bad key', { headers: { 'idempotency-key': 'ä' } }, 400, { code: 'invalid-request' }],
  ])('with %s', async (_name, options, status, problem) => {
    await using port = await openPort();
    port.service.answer(held);
    expect(await port.ask(extend, { method: 'POST', ...options })).toMatchObject({ status, json: problem });
  });

  test('past the limit', async () => {
    await using port = await openPort();
    port.service.answer({ kind: 'rejected', rejection: { code: 'hold-limit-reached' } });
    expect(await port.ask(extend, { method: 'POST' })).toMatchObject({
      status: 422,
      json: { code: 'hold-limit-reached' },
    });
  });
});

describe('a user’s reservations', () => {
  const stored = (number: number) => {
    const { asOfMs: _, ...rest } = reservationView({ number: number as never });
    return { ...rest, paymentSeq: 0 };
  };

  test('page by page', async () => {
    await using port = await openPort();
    port.service.onList = async (query) =>
      query.after === undefined
        ? { reservations: [stored(3), stored(2)], hasMore: true }
        : { reservations: [stored(1)], hasMore: false };
    const first = await port.ask('/reservations?limit=2');
    expect(first).toMatchObject({ status: 200, headers: noStore });
    const page = v.parse(reservationsResponse, first.json);
    expect(page.reservations.map(({ reservationId }) => reservationId)).toEqual(['1-3', '1-2']);

    const second = await port.ask(`/reservations?limit=2&cursor=${page.nextCursor}`);
    expect(v.parse(reservationsResponse, second.json)).toMatchObject({
      reservations: [{ reservationId: '1-1', expiresInSeconds: 300 }],
      nextCursor: null,
    });
    expect(port.service.queries).toEqual([
      { userId: 'ada', limit: 2 },
      { userId: 'ada', limit: 2, after: { heldAtMs, scheduleId: 1, number: 2 } },
    ]);
  });

  test('tell of their payments', async () => {
    await using port = await openPort();
    port.service.onList = async () => ({
      reservations: [
        { ...stored(3), status: 'PAID', paymentSeq: 8, paidAtMs: heldAtMs + 1 },
        { ...stored(2), status: 'PAYING', paymentSeq: 6 },
        { ...stored(1), status: 'EXPIRED', paymentSeq: 4, endedAtMs: heldAtMs + 2 },
      ],
      hasMore: false,
    });
    const { reservations } = v.parse(reservationsResponse, (await port.ask('/reservations')).json);
    const payments = reservations.map(({ paymentId, paidAt }) => ({ paymentId, paidAt }));
    expect(payments).toEqual([
      { paymentId: '1-3-8', paidAt: '2026-12-01T11:00:00.001Z' },
      { paymentId: '1-2-6', paidAt: undefined },
      { paymentId: undefined, paidAt: undefined },
    ]);
  });

  test('of one schedule and status, as of a seq', async () => {
    await using port = await openPort();
    port.service.onList = async () => ({ reservations: [], hasMore: false, asOfSeq: 42 });
    const answered = await port.ask('/reservations?status=EXPIRED&scheduleId=7');
    expect(answered).toMatchObject({ status: 200, headers: { 'usher-as-of-seq': '42' } });
    expect(port.service.queries).toEqual([
      { userId: 'ada', limit: 20, status: 'EXPIRED', scheduleId: 7 as ScheduleId },
    ]);
  });

  test.each([
    ['limit=0', 'limit', 'must be an integer from 1 to 100'],
    ['limit=101', 'limit', 'must be an integer from 1 to 100'],
    ['limit=ten', 'limit', 'must be an integer from 1 to 100'],
    ['limit=1e1', 'limit', 'must be an integer from 1 to 100'],
    ['status=held', 'status', 'must be one of HELD, PAYING, PAID, EXPIRED, CANCELLED'],
    ['scheduleId=0', 'scheduleId', 'must be an integer of 1 or more'],
    ['userId=eve', 'userId', 'is not a known field'],
    ['limit=1&limit=2', 'limit', 'is given more than once'],
  ])('%s', async (query, path, message) => {
    await using port = await openPort();
    expect(await port.ask(`/reservations?${query}`)).toMatchObject({
      status: 400,
      json: { errors: [{ path, message }] },
    });
  });

  const cursorOf = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

  test.each([
    '',
    'x',
    '%%',
    'bm90IGpzb24',
    cursorOf({}),
    cursorOf([1, 1]),
    cursorOf([1, 1, 1, 1]),
    cursorOf([1, 0, 1]),
    cursorOf([1.5, 1, 1]),
    cursorOf(['1', 1, 1]),
    `${cursorOf([1, 1, 1])}=`,
  ])('cursor=%s', async (cursor) => {
    await using port = await openPort();
    expect(await port.ask(`/reservations?cursor=${cursor}`)).toMatchObject({
      status: 400,
      json: { errors: [{ path: 'cursor', message: 'must be the nextCursor of a page before' }] },
    });
  });

  test('while the store is away', async () => {
    await using port = await openPort();
    port.service.onList = () => Promise.reject(new StoreUnavailable('gone'));
    expect(await port.ask('/reservations')).toMatchObject({
      status: 503,
      headers: { 'retry-after': '1' },
      json: { code: 'store-unavailable' },
    });
    expect(port.log).toMatchObject([{ level: 'warn' }]);
  });

  test('when listing has a bug', async () => {
    await using port = await openPort();
    port.service.onList = () => Promise.reject(new Error('secret detail'));
    const answered = await port.ask('/reservations');
    expect(answered).toMatchObject({ status: 500, json: { code: 'internal-error' } });
    expect(answered.text).not.toContain('secret detail');
    expect(port.log).toMatchObject([
      { level: 'error', fields: { requestId: answered.headers['x-request-id'] } },
    ]);
  });
});
