import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type SandboxGateway, startSandboxGateway } from '../../src/ledger/sandbox/sandbox-gateway.ts';
import { createHall } from './small-hall.ts';
import { temporaryDirectory, UsherProcess } from './usher-process.ts';

/** Every row of the error table that this version can give, made to happen over HTTP on a real node. */
const directory = temporaryDirectory();
let sandbox: SandboxGateway;
let usher: UsherProcess;
let token: string;
/** 2 rows of 4 seats. */
let scheduleId: number;
let strictScheduleId: number;
let limitedScheduleId: number;
let futureScheduleId: number;

beforeAll(async () => {
  sandbox = await startSandboxGateway({ host: '127.0.0.1', port: 0 });
  usher = await UsherProcess.start(directory.path, {
    HOLD_TTL_SECONDS: '2',
    HOLD_TOTAL_MAX_SECONDS: '2',
    REQUESTS_PER_USER_PER_SECOND_MAX: '50',
    STRIPE_API_URL: sandbox.url,
    STRIPE_API_KEY: 'sandbox',
    PAY_WAIT_MAX_MS: '300',
  });
  token = await usher.token('ada');
  const hall = { rows: 2, seatsPerRow: 4 };
  scheduleId = (await createHall(usher, hall)).scheduleId;
  strictScheduleId = (await createHall(usher, { ...hall, performance: { orphanRule: true } })).scheduleId;
  limitedScheduleId = (await createHall(usher, { ...hall, performance: { seatsPerUserMax: 2 } })).scheduleId;
  futureScheduleId = (
    await createHall(usher, { ...hall, schedule: { onSaleAt: '2029-01-01T00:00:00.000Z' } })
  ).scheduleId;
});

afterAll(async () => {
  await usher?.stop('SIGKILL');
  await sandbox?.close();
  directory.remove();
});

interface Call {
  readonly method?: string;
  readonly path?: string;
  readonly body?: string | object;
  readonly headers?: Record<string, string>;
  readonly as?: string;
}

async function call({ method = 'POST', path = '/reservations', body, headers = {}, as = token }: Call) {
  const response = await fetch(usher.publicUrl + path, {
    method,
    headers: {
      ...(as === '' ? {} : { authorization: `Bearer ${as}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? {} : JSON.parse(text) };
}

const seats = (...seatIds: string[]) => ({ scheduleId, seatIds });

async function expectProblem(
  made: ReturnType<typeof call>,
  status: number,
  code: string,
  members: object = {},
) {
  const answer = await made;
  expect(answer.body).toMatchObject({ status, code, ...members });
  expect(answer.status).toBe(status);
  expect(answer.headers.get('content-type')).toBe('application/problem+json');
  expect(answer.headers.get('x-request-id')).toBe(answer.body.requestId);
  expect(answer.body).toMatchObject({
    type: expect.any(String),
    title: expect.any(String),
    detail: expect.any(String),
  });
  if (status === 409 || status === 429 || status === 503) expect(answer.body.retryable).toBeTypeOf('boolean');
  return answer;
}

describe('what the request is', () => {
  const cases: [string, Call, number, string, object?][] = [
    [
      'a field of the wrong type',
      { body: { scheduleId: 'x', seatIds: ['R1-1'] } },
      400,
      'invalid-request',
      { errors: [{ path: 'scheduleId', message: expect.any(String) }] },
    ],
    ['an unknown field', { body: { scheduleId: 1, seatIds: ['R1-1'], price: 0 } }, 400, 'invalid-request'],
    ['no seats', { body: { scheduleId: 1, seatIds: [] } }, 400, 'invalid-request'],
    ['too many seats', { body: { scheduleId: 1, bestAvailable: { quantity: 11 } } }, 400, 'invalid-request'],
    [
      'both ways to choose',
      { body: { scheduleId: 1, seatIds: ['R1-1'], bestAvailable: { quantity: 1 } } },
      400,
      'invalid-request',
    ],
    ['not JSON', { body: '{"scheduleId":1,' }, 400, 'malformed-json'],
    [
      'a duplicate key',
      { body: '{"scheduleId":1,"scheduleId":2,"seatIds":["R1-1"]}' },
      400,
      'malformed-json',
    ],
    [
      'a prototype key',
      { body: '{"scheduleId":1,"seatIds":["R1-1"],"__proto__":{"a":1}}' },
      400,
      'malformed-json',
    ],
    ['a number over the range', { body: '{"scheduleId":1e400,"seatIds":["R1-1"]}' }, 400, 'malformed-json'],
    [
      'an integer that rounds',
      { body: '{"scheduleId":9007199254740993,"seatIds":["R1-1"]}' },
      400,
      'malformed-json',
    ],
    ['no token', { body: {}, as: '' }, 401, 'unauthenticated'],
    ['a token nobody signed', { body: {}, as: 'a.b.c' }, 401, 'unauthenticated'],
    ['no such schedule', { body: { scheduleId: 999, seatIds: ['R1-1'] } }, 404, 'not-found'],
    ['no such reservation', { method: 'GET', path: '/reservations/1-999' }, 404, 'not-found'],
    ['no such path', { method: 'GET', path: '/nothing' }, 404, 'not-found'],
    [
      'a type it does not offer',
      { method: 'GET', path: '/reservations/available/seat?scheduleId=1', headers: { accept: 'text/html' } },
      406,
      'not-acceptable',
    ],
    ['a body over the limit', { body: `{"a":"${'x'.repeat(17_000)}"}` }, 413, 'body-too-large'],
    [
      'a body of another type',
      { body: '{}', headers: { 'content-type': 'text/plain' } },
      415,
      'unsupported-media-type',
    ],
  ];
  test.each(cases)('%s', async (_name, request, status, code, members) => {
    await expectProblem(call(request), status, code, members);
  });

  test('a method it does not take names those that it takes', async () => {
    const answer = await expectProblem(call({ method: 'PUT', body: {} }), 405, 'method-not-allowed');
    expect(answer.headers.get('allow')).toMatch(/GET.*POST|POST.*GET/);
  });

  test('a missing scope is named', async () => {
    const reader = await usher.token('eve', ['pay']);
    const answer = await expectProblem(call({ body: seats('R1-1'), as: reader }), 403, 'forbidden');
    expect(JSON.stringify(answer.body)).toContain('reserve');
  });

  test('too many requests of one user', async () => {
    const hasty = await usher.token('hasty');
    const answers = await Promise.all(
      Array.from({ length: 80 }, () => call({ body: { scheduleId: 999, seatIds: ['R1-1'] }, as: hasty })),
    );
    const limited = answers.filter(({ status }) => status === 429);
    expect(limited.length).toBeGreaterThan(0);
    expect(limited[0]?.body).toMatchObject({ code: 'rate-limited', retryable: true });
    for (const header of ['retry-after', 'ratelimit', 'ratelimit-policy']) {
      expect(limited[0]?.headers.get(header), header).toBeTruthy();
    }
  });
});

test('a node on its own moves nothing', async () => {
  for (const [path, body] of [
    ['move', { shardId: 17, toNodeId: 'usher-2' }],
    ['drain', { nodeId: 'usher-1' }],
    ['rebalance', { dryRun: true }],
    ['rebalance', {}],
  ] as const) {
    const response = await usher.admin('POST', `/admin/cluster/${path}`, body);
    expect(await response.json()).toMatchObject({ status: 409, code: 'not-a-cluster', retryable: false });
    expect(response.status).toBe(409);
  }
});

describe('what the schedule is', () => {
  test('seats that somebody has', async () => {
    const bob = await usher.token('bob');
    expect((await call({ body: seats('R1-1', 'R1-2'), as: bob })).status).toBe(201);
    await expectProblem(call({ body: seats('R1-2', 'R1-3') }), 409, 'seats-taken', {
      conflictingSeatIds: ['R1-2'],
    });
  });

  test('seats that are not there, and seats named twice', async () => {
    await expectProblem(call({ body: seats('R1-1', 'R9-9') }), 422, 'unknown-seats', { seatIds: ['R9-9'] });
    await expectProblem(call({ body: seats('R2-1', 'R2-1') }), 422, 'duplicate-seats');
  });

  test('a single seat left behind', async () => {
    const body = { scheduleId: strictScheduleId, seatIds: ['R1-2', 'R1-3'] };
    await expectProblem(call({ body }), 409, 'orphan-seat', { seatIds: ['R1-1', 'R1-4'] });
  });

  test('more seats than a user may have', async () => {
    expect((await call({ body: { scheduleId: limitedScheduleId, seatIds: ['R1-1', 'R1-2'] } })).status).toBe(
      201,
    );
    const body = { scheduleId: limitedScheduleId, seatIds: ['R1-3'] };
    await expectProblem(call({ body }), 409, 'seat-limit-exceeded', { limit: 2 });
  });

  test('a sale that has not begun', async () => {
    const body = { scheduleId: futureScheduleId, seatIds: ['R1-1'] };
    await expectProblem(call({ body }), 409, 'not-on-sale', { onSaleAt: '2029-01-01T00:00:00.000Z' });
  });

  test('no seats together, then no seats at all', async () => {
    const hall = await createHall(usher, { rows: 2, seatsPerRow: 2 });
    const best = (quantity: number) => ({ scheduleId: hall.scheduleId, bestAvailable: { quantity } });
    await expectProblem(call({ body: best(3) }), 409, 'not-enough-adjacent-seats');
    expect((await call({ body: best(2) })).status).toBe(201);
    expect((await call({ body: best(2) })).status).toBe(201);
    await expectProblem(call({ body: best(1) }), 409, 'sold-out');
  });

  test('a category that the venue has not', async () => {
    const body = { scheduleId, bestAvailable: { quantity: 1, category: 'Opera' } };
    await expectProblem(call({ body }), 400, 'invalid-request', {
      errors: [{ path: 'bestAvailable.category', message: expect.any(String) }],
    });
  });

  test('a key that meant something else', async () => {
    const headers = { 'idempotency-key': 'once' };
    const hall = await createHall(usher, { rows: 1, seatsPerRow: 4 });
    const body = (seatId: string) => ({ scheduleId: hall.scheduleId, seatIds: [seatId] });
    const first = await call({ body: body('R1-1'), headers });
    const again = await call({ body: body('R1-1'), headers });
    expect(again).toMatchObject({ status: 201, body: first.body });
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    await expectProblem(call({ body: body('R1-2'), headers }), 422, 'idempotency-key-reused');
  });

  test('a hold: at its limit, expired, cancelled, somebody else’s', async () => {
    const hall = await createHall(usher, { rows: 1, seatsPerRow: 4 });
    const hold = async (seatId: string) =>
      (await call({ body: { scheduleId: hall.scheduleId, seatIds: [seatId] } })).body.reservationId as string;
    const kept = await hold('R1-1');
    await expectProblem(call({ path: `/reservations/${kept}/extend` }), 422, 'hold-limit-reached');
    const stranger = await usher.token('mallory');
    await expectProblem(
      call({ method: 'DELETE', path: `/reservations/${kept}`, as: stranger }),
      404,
      'not-found',
    );

    const dropped = await hold('R1-3');
    expect((await call({ method: 'DELETE', path: `/reservations/${dropped}` })).status).toBe(204);
    expect((await call({ method: 'DELETE', path: `/reservations/${dropped}` })).status).toBe(204);
    await expectProblem(call({ path: `/reservations/${dropped}/extend` }), 409, 'already-cancelled');

    await new Promise((resolve) => setTimeout(resolve, 2_500));
    await expectProblem(call({ path: `/reservations/${kept}/extend` }), 410, 'hold-expired');
    await expectProblem(call({ method: 'DELETE', path: `/reservations/${kept}` }), 410, 'hold-expired');
    expect((await call({ method: 'GET', path: `/reservations/${kept}` })).body).toMatchObject({
      status: 'EXPIRED',
    });
  });
});

describe('what the money is', () => {
  const charge = (amount: unknown, headers: Record<string, string> = { 'idempotency-key': 'c' }) =>
    call({ path: '/points/charge', body: { amount }, headers });

  test.each([0, -1, 1.5, 10_000_001, '5', null])('a charge of %s', async (amount) => {
    await expectProblem(charge(amount), 400, 'invalid-request', {
      errors: [{ path: 'amount', message: expect.any(String) }],
    });
  });

  test('a charge beyond every number', async () => {
    const headers = { 'idempotency-key': 'c' };
    await expectProblem(
      call({ path: '/points/charge', body: '{"amount":1e400}', headers }),
      400,
      'malformed-json',
    );
  });

  test('a charge without a key, without the scope, and under a key that meant another', async () => {
    await expectProblem(charge(5, {}), 400, 'invalid-request', {
      errors: [{ path: 'Idempotency-Key', message: expect.any(String) }],
    });
    const payer = await usher.token('ada', ['pay', 'points:read']);
    const asPayer = { path: '/points/charge', body: { amount: 5 }, as: payer };
    const refused = await expectProblem(
      call({ ...asPayer, headers: { 'idempotency-key': 'c' } }),
      403,
      'forbidden',
    );
    expect(JSON.stringify(refused.body)).toContain('points:charge');
    const balance = async () => (await call({ method: 'GET', path: '/points/balance' })).body.balance;
    expect(await balance(), 'nothing of all that was charged').toBe(0);

    expect(await charge(5)).toMatchObject({ status: 200, body: { userId: 'ada', balance: 5 } });
    const again = await charge(5);
    expect(again).toMatchObject({ status: 200, body: { userId: 'ada', balance: 5 } });
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    await expectProblem(charge(6), 422, 'idempotency-key-reused');
    expect(await balance()).toBe(5);
  });

  test('a payment: too few points, a declined card, under way, made, too late', async () => {
    const hall = await createHall(usher, { rows: 1, seatsPerRow: 6 });
    const hold = async (seatId: string) =>
      (await call({ body: { scheduleId: hall.scheduleId, seatIds: [seatId] } })).body.reservationId as string;
    const pay = (reservationId: string, cardToken?: string, key?: string) =>
      call({
        path: '/reservations/pay',
        body: {
          reservationId,
          ...(cardToken === undefined ? { method: 'points' } : { method: 'card', cardToken }),
        },
        ...(key === undefined ? {} : { headers: { 'idempotency-key': key } }),
      });
    const first = await hold('R1-1');
    await expectProblem(pay(first), 402, 'insufficient-points', { balance: 5, requiredMinor: 4_500 });
    await expectProblem(pay(first, 'decline-insufficient-funds'), 402, 'payment-declined', {
      declineCode: 'insufficient_funds',
    });
    const back = (await call({ method: 'GET', path: `/reservations/${first}` })).body;
    expect(back.status).toBe('HELD');
    expect(back.expiresInSeconds, 'the time that was left, and 30 s at least').toBeGreaterThanOrEqual(28);

    expect((await pay(first, 'delay-1000', 'slow')).status).toBe(202);
    await expectProblem(pay(first, 'approve', 'other'), 409, 'payment-in-progress', { retryable: true });
    await expectProblem(
      call({ method: 'DELETE', path: `/reservations/${first}` }),
      409,
      'payment-in-progress',
    );
    await expect
      .poll(async () => (await call({ method: 'GET', path: `/reservations/${first}` })).body.status)
      .toBe('PAID');
    await expectProblem(pay(first), 409, 'already-paid', { retryable: false });
    await expectProblem(call({ method: 'DELETE', path: `/reservations/${first}` }), 409, 'already-paid');
    await expectProblem(pay(first, 'approve', 'slow'), 422, 'idempotency-key-reused');

    const late = await hold('R1-3');
    await new Promise((resolve) => setTimeout(resolve, 2_200));
    await expectProblem(pay(late, 'approve'), 410, 'hold-expired');
    await expectProblem(pay('1-999'), 404, 'not-found');
    const other = await usher.token('mallory');
    await expectProblem(
      call({ path: '/reservations/pay', body: { reservationId: first, method: 'points' }, as: other }),
      404,
      'not-found',
    );
  });
});
