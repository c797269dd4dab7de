import { setImmediate as nextTurn } from 'node:timers/promises';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import type { PerformanceId, ScheduleId } from '../../../../src/actors/allocator/ids.ts';
import { StoreUnavailable } from '../../../../src/actors/runtime/ports.ts';
import * as response from '../../../../src/http/routes/response-schemas.ts';
import { type Call, call } from '../client.ts';
import { openAdminPort, operator } from '../open-port.ts';
import { layout, performance, schedule } from '../theatre.ts';

const post = (port: number, path: string, body: object, options: Call = {}) =>
  call(port, path, { method: 'POST', body, headers: operator, ...options });

describe('the operator’s token', () => {
  test.each([
    ['none', {}],
    ['a wrong one', { authorization: 'Bearer the-admin-toke' }],
    ['a longer one', { authorization: 'Bearer the-admin-tokens' }],
    ['as Basic', { authorization: 'Basic the-admin-token' }],
  ])('%s: 401', async (_name, headers) => {
    await using open = await openAdminPort();
    const calls = [
      call(open.port, '/admin/schedules', { headers }),
      call(open.port, '/admin/schedules/1', { headers }),
      post(open.port, '/admin/venues', {}, { headers }),
      post(open.port, '/admin/schedules/1/block', {}, { headers }),
    ];
    for (const answered of await Promise.all(calls)) {
      expect(answered).toMatchObject({
        status: 401,
        headers: { 'www-authenticate': 'Bearer realm="usher-admin"' },
        json: { code: 'unauthenticated' },
      });
    }
    expect(open.service.catalog.created).toEqual([]);
  });

  test('is not needed for the metrics, on this machine', async () => {
    await using open = await openAdminPort();
    const answered = await call(open.port, '/metrics');
    expect(answered).toMatchObject({
      status: 200,
      headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' },
    });
    expect(answered.text).toContain('# TYPE usher_http_requests_total counter');
  });

  test('is needed for the metrics by who comes through a proxy, or has a wrong one', async () => {
    await using open = await openAdminPort();
    const forwarded = { 'x-forwarded-for': '203.0.113.7' };
    expect((await call(open.port, '/metrics', { headers: forwarded })).status).toBe(401);
    expect((await call(open.port, '/metrics', { headers: { ...forwarded, ...operator } })).status).toBe(200);
    expect((await call(open.port, '/metrics', { headers: { authorization: 'Bearer x' } })).status).toBe(401);
  });
});

describe('a venue', () => {
  const { venueId: _, ...draft } = layout;
  const summary = { name: draft.name, seats: 8, sections: 2, categories: ['Standard', 'Rang 2'] };

  test('is imported', async () => {
    const imported: unknown[] = [];
    await using open = await openAdminPort({
      venues: {
        importSeatingPlan: (input) => {
          imported.push(input);
          return { layout: draft };
        },
        layoutSummary: () => summary,
      },
    });
    const answered = await post(open.port, '/admin/venues', { zones: [{ x: 1.5 }] });
    expect(answered.status).toBe(201);
    expect(v.parse(response.venueResponse, answered.json)).toEqual({ venueId: 2, ...summary });
    expect(imported).toEqual([{ zones: [{ x: 1.5 }] }]);
    expect(open.service.catalog.created).toEqual([draft]);
  });

  test('is refused with its faults', async () => {
    const faults = [{ path: 'zones[0].rows[3].seats[7].seat_guid', message: 'must be unique' }];
    await using open = await openAdminPort({
      venues: { importSeatingPlan: () => ({ faults, faultsTotal: 120 }), layoutSummary: () => summary },
    });
    expect(await post(open.port, '/admin/venues', {})).toMatchObject({
      status: 400,
      json: {
        code: 'invalid-request',
        errors: faults,
        errorsTotal: 120,
        detail: 'The venue has 120 faults.',
      },
    });
    expect(open.service.catalog.created).toEqual([]);
  });

  test('may be large, but not larger than 32 MiB', async () => {
    let bytes = 0;
    await using open = await openAdminPort({
      venues: {
        importSeatingPlan: (input) => {
          bytes = JSON.stringify(input).length;
          return { layout: draft };
        },
        layoutSummary: () => summary,
      },
    });
    const filler = 'x'.repeat(8 * 1024 * 1024);
    expect((await post(open.port, '/admin/venues', { filler })).status).toBe(201);
    expect(bytes).toBeGreaterThan(8 * 1024 * 1024);
    const headers = { ...operator, 'content-length': String(32 * 1024 * 1024 + 1) };
    const refused = call(open.port, '/admin/venues', { method: 'POST', headers });
    expect(await refused).toMatchObject({ status: 413, json: { code: 'body-too-large' } });
  });
});

describe('a performance', () => {
  const wanted = {
    name: 'The Tempest',
    venueId: 1,
    currency: 'EUR',
    prices: [
      { category: 'Standard', priceMinor: 4500 },
      { category: 'Rang 2', priceMinor: 0 },
    ],
  };

  test.each([
    [{}, { orphanRule: false }],
    [
      { seatsPerUserMax: 4, orphanRule: true },
      { seatsPerUserMax: 4, orphanRule: true },
    ],
  ])('with %j', async (rules, stored) => {
    await using open = await openAdminPort();
    const answered = await post(open.port, '/admin/performances', { ...wanted, ...rules });
    expect(answered.status).toBe(201);
    expect(v.parse(response.performanceResponse, answered.json)).toEqual({
      performanceId: 2,
      ...wanted,
      ...stored,
    });
    expect(open.service.catalog.created).toEqual([{ ...wanted, ...stored }]);
  });

  test.each<[name: string, changes: object, errors: readonly (readonly [path: string, message: string])[]]>([
    ['no venue', { venueId: 7 }, [['venueId', 'is not a venue']]],
    [
      'a category without a price, one that is none, and one twice',
      {
        prices: [
          { category: 'Standard', priceMinor: 1 },
          { category: 'Standard', priceMinor: 2 },
          { category: 'Box', priceMinor: 3 },
        ],
      },
      [
        ['prices[1].category', 'has a price already'],
        ['prices[2].category', 'is not a category of the venue'],
        ['prices', 'must have a price for the category Rang 2'],
      ],
    ],
    [
      'wrong values',
      {
        name: ' ',
        currency: 'eur',
        prices: [
          { category: 'Standard', priceMinor: -1 },
          { category: 'Rang 2', priceMinor: 1.5 },
          { category: 'Box', priceMinor: 1_000_000_001, tax: 1 },
        ],
        seatsPerUserMax: 0,
        orphanRule: 'yes',
      },
      [
        ['name', 'must have 1 to 200 printable characters, not only spaces'],
        ['currency', 'must be a currency code, as in EUR'],
        ['prices[0].priceMinor', 'must be an integer from 0 to 1000000000'],
        ['prices[1].priceMinor', 'must be an integer from 0 to 1000000000'],
        ['prices[2].priceMinor', 'must be an integer from 0 to 1000000000'],
        ['prices[2].tax', 'is not a known field'],
        ['seatsPerUserMax', 'must be an integer from 1 to 200000'],
        ['orphanRule', 'must be true or false'],
      ],
    ],
    ['no prices', { prices: [] }, [['prices', 'must have at least 1 element']]],
    [
      'a name that is too long',
      { name: 'x'.repeat(201) },
      [['name', 'must have 1 to 200 printable characters, not only spaces']],
    ],
  ])('%s', async (_name, changes, errors) => {
    await using open = await openAdminPort();
    expect(await post(open.port, '/admin/performances', { ...wanted, ...changes })).toMatchObject({
      status: 400,
      json: { code: 'invalid-request', errors: errors.map(([path, message]) => ({ path, message })) },
    });
    expect(open.service.catalog.created).toEqual([]);
  });
});

describe('a schedule', () => {
  test('is created', async () => {
    await using open = await openAdminPort();
    const body = {
      performanceId: 1,
      startsAt: '2026-12-24T20:00:00+01:00',
      onSaleAt: '2026-12-01T11:00:00.000Z',
    };
    const answered = await post(open.port, '/admin/schedules', body);
    expect(answered).toMatchObject({ status: 201, json: { scheduleId: 2 } });
    expect(open.service.catalog.created).toEqual([
      { performanceId: 1, startsAtMs: Date.UTC(2026, 11, 24, 19), onSaleAtMs: Date.UTC(2026, 11, 1, 11) },
    ]);
  });

  test('on sale at once', async () => {
    await using open = await openAdminPort();
    const body = { performanceId: 1, startsAt: '2026-12-24T19:00:00Z' };
    expect((await post(open.port, '/admin/schedules', body)).status).toBe(201);
    expect(open.service.catalog.created[0]).not.toHaveProperty('onSaleAtMs');
  });

  test.each([
    [{ performanceId: 2 }, 'performanceId', 'is not a performance'],
    [{ startsAt: 'tomorrow' }, 'startsAt', 'must be a time as in 2026-12-01T11:00:00Z'],
    [{ startsAt: 1796122800000 }, 'startsAt', 'must be text'],
    [{ onSaleAt: '2026-02-30T00:00:00Z' }, 'onSaleAt', 'must be a time as in 2026-12-01T11:00:00Z'],
  ])('%j', async (changes, path, message) => {
    await using open = await openAdminPort();
    const body = { performanceId: 1, startsAt: '2026-12-24T19:00:00Z', ...changes };
    expect(await post(open.port, '/admin/schedules', body)).toMatchObject({
      status: 400,
      json: { errors: [{ path, message }] },
    });
  });

  test('of a performance that another node has created', async () => {
    await using open = await openAdminPort();
    const { catalog } = open.service;
    catalog.elsewhere = { performance: { ...performance, performanceId: 2 as PerformanceId } };
    const body = { performanceId: 2, startsAt: '2026-12-24T19:00:00Z' };
    expect((await post(open.port, '/admin/schedules', body)).status).toBe(201);
    expect((await post(open.port, '/admin/schedules', body)).status).toBe(201);
    expect(catalog.lessons).toBe(1);
  });

  test('that another node has created is counted', async () => {
    await using open = await openAdminPort();
    const { service } = open;
    service.catalog.elsewhere = { schedule: { ...schedule, scheduleId: 2 as ScheduleId } };
    service.onCount = async () => ({ seq: 9, capacity: 8, free: 8, held: 0, paying: 0, paid: 0, blocked: 0 });
    expect(await call(open.port, '/admin/schedules/2', { headers: operator })).toMatchObject({
      status: 200,
      json: { scheduleId: 2, free: 8 },
    });
  });

  test('that nobody can know of now is not said to be none', async () => {
    await using open = await openAdminPort();
    open.service.catalog.failure = new StoreUnavailable('away');
    expect((await call(open.port, '/admin/schedules/2', { headers: operator })).status).toBe(503);
    const body = { performanceId: 2, startsAt: '2026-12-24T19:00:00Z' };
    expect((await post(open.port, '/admin/schedules', body)).status).toBe(503);
  });

  test('is listed', async () => {
    await using open = await openAdminPort();
    open.service.onRefresh = async () => {
      await nextTurn();
      open.service.catalog.freeSeats = 3;
    };
    const answered = await call(open.port, '/admin/schedules', { headers: operator });
    expect(v.parse(response.schedulesResponse, answered.json)).toEqual({
      schedules: [
        {
          scheduleId: 1,
          performanceId: 1,
          performance: 'The Tempest',
          startsAt: '2026-12-24T19:00:00.000Z',
          onSaleAt: null,
          capacity: 8,
          available: 3,
        },
      ],
    });
  });

  test('is counted', async () => {
    await using open = await openAdminPort();
    const counts = { seq: 9, capacity: 8, free: 4, held: 2, paying: 0, paid: 1, blocked: 1 };
    open.service.onCount = async () => counts;
    const answered = await call(open.port, '/admin/schedules/1', { headers: operator });
    expect(v.parse(response.countsResponse, answered.json)).toEqual({
      scheduleId: 1,
      performanceId: 1,
      shardId: 17,
      ownerNodeId: 'node-1',
      ...counts,
    });
  });

  test.each([
    [[{ invariant: 'I1', ok: true, detail: 'fine' }], true],
    [
      [
        { invariant: 'I1', ok: true, detail: 'fine' },
        { invariant: 'I11', ok: false, detail: '1 seat differs' },
      ],
      false,
    ],
  ])('is audited: %j', async (checks, ok) => {
    await using open = await openAdminPort();
    open.service.onAudit = async () => checks;
    const answered = await call(open.port, '/admin/schedules/1/audit', { headers: operator });
    expect(v.parse(response.auditResponse, answered.json)).toEqual({ ok, checks });
  });

  test.each(['', '/audit'])('that there is none: %s', async (path) => {
    await using open = await openAdminPort();
    expect(await call(open.port, `/admin/schedules/2${path}`, { headers: operator })).toMatchObject({
      status: 404,
      json: { detail: 'There is no such schedule.' },
    });
  });

  test.each(['', '/audit'])('that can’t be asked now: %s', async (path) => {
    await using open = await openAdminPort();
    const away = async () => ({ failure: 'store-unavailable', retryAfterSeconds: 4 }) as const;
    open.service.onCount = away;
    open.service.onAudit = away;
    expect(await call(open.port, `/admin/schedules/1${path}`, { headers: operator })).toMatchObject({
      status: 503,
      headers: { 'retry-after': '4' },
    });
  });
});

describe('blocking', () => {
  test.each(['block', 'unblock'])('%s', async (kind) => {
    await using open = await openAdminPort();
    open.service.answer({ kind: 'blocks-changed', seatIds: ['A-1'], seq: 8 });
    const answered = await post(open.port, `/admin/schedules/1/${kind}`, { seatIds: ['A-1', 'A-2'] });
    expect(v.parse(response.blocksResponse, answered.json)).toEqual({
      scheduleId: 1,
      seatIds: ['A-1'],
      seq: 8,
    });
    expect(open.service.submitted).toEqual([{ scheduleId: 1, intent: { kind, seatIds: ['A-1', 'A-2'] } }]);
  });

  test.each([
    [{ code: 'not-found' }, 404],
    [{ code: 'seats-taken', conflictingSeatIds: ['A-1'] }, 409],
    [{ code: 'unknown-seats', seatIds: ['A-1'] }, 422],
  ] as const)('refused: %j', async (rejection, status) => {
    await using open = await openAdminPort();
    open.service.answer({ kind: 'rejected', rejection });
    expect(await post(open.port, '/admin/schedules/1/block', { seatIds: ['A-1'] })).toMatchObject({
      status,
      json: { ...rejection },
    });
  });

  test.each([[[]], [Array.from({ length: 10_001 }, (_, i) => `A-${i}`)], ['A-1'], [[1]]])(
    'of %j is refused',
    async (seatIds) => {
      await using open = await openAdminPort();
      expect(await post(open.port, '/admin/schedules/1/block', { seatIds })).toMatchObject({
        status: 400,
        json: { code: 'invalid-request' },
      });
      expect(open.service.submitted).toEqual([]);
    },
  );

  test('10,000 at once', async () => {
    await using open = await openAdminPort();
    open.service.answer({ kind: 'blocks-changed', seatIds: [], seq: 8 });
    const seatIds = Array.from({ length: 10_000 }, (_, i) => `A-${i}`);
    expect((await post(open.port, '/admin/schedules/1/block', { seatIds })).status).toBe(200);
  });
});

test('while the store is away nothing is created', async () => {
  await using open = await openAdminPort();
  open.service.catalog.failure = new StoreUnavailable('gone');
  const body = { performanceId: 1, startsAt: '2026-12-24T19:00:00Z' };
  expect(await post(open.port, '/admin/schedules', body)).toMatchObject({
    status: 503,
    json: { code: 'store-unavailable', retryable: true },
  });
});

test('public routes are not on the admin port', async () => {
  await using open = await openAdminPort();
  expect((await call(open.port, '/performances', { headers: operator })).status).toBe(404);
});
