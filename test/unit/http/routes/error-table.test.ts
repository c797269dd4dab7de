import { describe, expect, test } from 'vitest';
import type { Rejection } from '../../../../src/actors/allocator/rejection.ts';
import type { Outcome, UnavailableCode } from '../../../../src/actors/runtime/outcome.ts';
import { problemCodes, problemKinds } from '../../../../src/http/answer/error-response.ts';
import { call } from '../client.ts';
import { authorized, openPublicPort } from '../open-port.ts';

/** Every refusal of the allocator, as a client of POST /reservations gets it. */
const rejections: readonly (readonly [rejection: Rejection, status: number, members: object])[] = [
  [{ code: 'not-found' }, 404, {}],
  [
    { code: 'invalid-request', path: 'bestAvailable.section', message: 'must be a section of the venue' },
    400,
    { errors: [{ path: 'bestAvailable.section', message: 'must be a section of the venue' }] },
  ],
  [
    { code: 'seats-taken', conflictingSeatIds: ['A-1'] },
    409,
    { conflictingSeatIds: ['A-1'], retryable: false },
  ],
  [{ code: 'not-enough-adjacent-seats' }, 409, { retryable: false }],
  [{ code: 'orphan-seat', seatIds: ['A-2'] }, 409, { seatIds: ['A-2'], retryable: false }],
  [{ code: 'seat-limit-exceeded', limit: 4 }, 409, { limit: 4, retryable: false }],
  [
    { code: 'not-on-sale', onSaleAtMs: Date.UTC(2026, 11, 1, 11) },
    409,
    { onSaleAt: '2026-12-01T11:00:00.000Z', retryable: false },
  ],
  [{ code: 'sold-out' }, 409, { retryable: false }],
  [{ code: 'already-paid' }, 409, { retryable: false }],
  [{ code: 'already-cancelled' }, 409, { retryable: false }],
  [{ code: 'payment-in-progress' }, 409, { retryable: true }],
  [{ code: 'hold-expired' }, 410, {}],
  [{ code: 'unknown-seats', seatIds: ['Z-1'] }, 422, { seatIds: ['Z-1'] }],
  [{ code: 'duplicate-seats', seatIds: ['A-1'] }, 422, { seatIds: ['A-1'] }],
  [{ code: 'idempotency-key-reused' }, 422, {}],
  [{ code: 'hold-limit-reached' }, 422, {}],
  [
    { code: 'insufficient-points', balance: 12, requiredMinor: 7000 },
    402,
    { balance: 12, requiredMinor: 7000 },
  ],
  [{ code: 'payment-declined', declineCode: 'lost_card' }, 402, { declineCode: 'lost_card' }],
];

const unavailable: readonly UnavailableCode[] = [
  'overloaded',
  'store-unavailable',
  'shard-moving',
  'not-ready',
  'gateway-unavailable',
];

async function answerOf(outcome: Outcome) {
  await using open = await openPublicPort();
  open.service.answer(outcome);
  const headers = { ...(await authorized(open.port)), 'x-request-id': 'mine' };
  const body = { scheduleId: 1, seatIds: ['A-1'] };
  return await call(open.port, '/reservations', { method: 'POST', headers, body });
}

describe('a refusal of the allocator', () => {
  test.each(rejections)('%j', async (rejection, status, members) => {
    const { code } = rejection;
    const answered = await answerOf({ kind: 'rejected', rejection });
    expect(answered).toMatchObject({
      status,
      headers: { 'content-type': 'application/problem+json', 'x-request-id': 'mine' },
    });
    expect(answered.json).toEqual({
      type: `urn:usher:problem:${code}`,
      title: problemKinds[code].title,
      status,
      detail: expect.stringMatching(/\S/),
      code,
      requestId: 'mine',
      ...members,
    });
  });

  test.each(unavailable)('%s', async (code) => {
    const answered = await answerOf({ kind: 'unavailable', code, retryAfterSeconds: 3 });
    expect(answered).toMatchObject({
      status: 503,
      headers: { 'retry-after': '3' },
      json: { code, status: 503, retryable: true },
    });
  });
});

describe('the table', () => {
  test.each(problemCodes)('%s has retryable where its status promises it', (code) => {
    const kind = problemKinds[code];
    expect('retryable' in kind).toBe([409, 429, 503].includes(kind.status));
  });

  test('has no code of the allocator that this file does not try', () => {
    const tried = new Set([...rejections.map(([{ code }]) => code), ...unavailable]);
    const edge = [
      'malformed-json',
      'unauthenticated',
      'forbidden',
      'method-not-allowed',
      'not-acceptable',
      'request-timeout',
      'request-in-progress',
      'not-a-cluster',
      'not-possible',
      'registry-unavailable',
      'body-too-large',
      'unsupported-media-type',
      'rate-limited',
      'headers-too-large',
      'internal-error',
    ];
    expect(problemCodes.filter((code) => !tried.has(code as never) && !edge.includes(code))).toEqual([]);
  });
});

describe('what matches no route', () => {
  test.each([
    ['GET', '/'],
    ['GET', '/nothing'],
    ['POST', '/reservations/available/seat/'],
    ['GET', '/healthz/'],
    ['GET', '//healthz'],
    ['GET', '/admin/schedules'],
    ['GET', '/metrics'],
    ['GET', '/points'],
    ['POST', '/reservations/pay/'],
    ['DELETE', '/reservations/1-1/extend/x'],
  ])('%s %s', async (method, path) => {
    await using open = await openPublicPort();
    expect(await call(open.port, path, { method })).toMatchObject({
      status: 404,
      json: { code: 'not-found', detail: 'There is nothing at this path.' },
    });
  });

  test.each([
    ['DELETE', '/reservations', 'POST, GET, HEAD'],
    ['POST', '/reservations/available/seat', 'GET, HEAD'],
    ['PUT', '/reservations/1-1', 'GET, HEAD, DELETE'],
    ['POST', '/reservations/1-1', 'GET, HEAD, DELETE'],
    ['GET', '/reservations/pay', 'POST'],
    ['DELETE', '/reservations/pay', 'POST'],
    ['GET', '/points/charge', 'POST'],
    ['POST', '/points/balance', 'GET, HEAD'],
    ['DELETE', '/points/entries', 'GET, HEAD'],
    ['GET', '/reservations/1-1/extend', 'POST'],
    ['HEAD', '/auth/token', 'POST'],
    ['OPTIONS', '/performances', 'GET, HEAD'],
    ['PATCH', '/venues/1/layout', 'GET, HEAD'],
  ])('%s %s: Allow: %s', async (method, path, allow) => {
    await using open = await openPublicPort();
    const answered = await call(open.port, path, { method });
    expect(answered).toMatchObject({ status: 405, headers: { allow } });
    if (method !== 'HEAD') expect(answered.json).toMatchObject({ code: 'method-not-allowed' });
  });
});

test('forbidden names the scope', async () => {
  await using open = await openPublicPort();
  const answered = await call(open.port, '/auth/token', {
    method: 'POST',
    body: { userId: 'ada', scopes: ['pay'] },
  });
  const { accessToken } = answered.json;
  const headers = { authorization: `Bearer ${accessToken}` };
  for (const options of [{ method: 'POST', headers, body: {} }, { headers }]) {
    expect(await call(open.port, '/reservations', options)).toMatchObject({
      status: 403,
      headers: { 'www-authenticate': expect.stringContaining('scope="reserve"') },
      json: { code: 'forbidden', missingScopes: ['reserve'], detail: expect.stringContaining('reserve') },
    });
  }
});
