import { setImmediate as nextTurn } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import type { PerformanceId } from '../../../../src/actors/allocator/ids.ts';
import { StoreUnavailable } from '../../../../src/actors/runtime/ports.ts';
import {
  datesResponse,
  layoutResponse,
  performancesResponse,
} from '../../../../src/http/routes/response-schemas.ts';
import { call } from '../client.ts';
import { openPublicPort } from '../open-port.ts';
import { layout, performance } from '../theatre.ts';

test('performances and their prices', async () => {
  await using open = await openPublicPort();
  const answered = await call(open.port, '/performances');
  expect(answered.status).toBe(200);
  expect(v.parse(performancesResponse, answered.json)).toEqual({
    performances: [
      {
        performanceId: 1,
        name: 'The Tempest',
        venueId: 1,
        currency: 'EUR',
        prices: [
          { category: 'Standard', priceMinor: 4500 },
          { category: 'Rang 2', priceMinor: 2500 },
        ],
      },
    ],
  });
});

describe('dates', () => {
  test('with what is left', async () => {
    await using open = await openPublicPort();
    const answered = await call(open.port, '/reservations/available/dates?performanceId=1');
    expect(answered).toMatchObject({ status: 200, headers: { 'cache-control': 'no-cache' } });
    expect(v.parse(datesResponse, answered.json)).toEqual({
      performanceId: 1,
      schedules: [
        { scheduleId: 1, startsAt: '2026-12-24T19:00:00.000Z', onSaleAt: null, capacity: 8, available: 4 },
      ],
    });
  });

  test('that other nodes own are asked for before they are shown', async () => {
    await using open = await openPublicPort();
    const asked: unknown[] = [];
    open.service.onRefresh = async (scheduleIds) => {
      asked.push(scheduleIds);
      await nextTurn();
      open.service.catalog.freeSeats = 1;
    };
    const answered = await call(open.port, '/reservations/available/dates?performanceId=1');
    expect(answered).toMatchObject({ status: 200, headers: { 'cache-control': 'no-cache' } });
    expect(v.parse(datesResponse, answered.json).schedules).toMatchObject([{ scheduleId: 1, available: 1 }]);
    expect(asked).toEqual([[1]]);
  });

  test('of a performance that another node has created are learnt of before they are missed', async () => {
    await using open = await openPublicPort();
    const { catalog } = open.service;
    catalog.elsewhere = { performance: { ...performance, performanceId: 2 as PerformanceId } };
    const path = '/reservations/available/dates?performanceId=';
    expect((await call(open.port, `${path}1`)).status).toBe(200);
    expect(catalog.lessons).toBe(0);
    expect(await call(open.port, `${path}2`)).toMatchObject({
      status: 200,
      json: { performanceId: 2, schedules: [] },
    });
    expect((await call(open.port, `${path}3`)).status).toBe(404);
    expect(catalog.lessons).toBe(2);
  });

  test('that nobody can know of now are not said to be none', async () => {
    await using open = await openPublicPort();
    open.service.catalog.failure = new StoreUnavailable('away');
    expect((await call(open.port, '/reservations/available/dates?performanceId=2')).status).toBe(503);
  });

  test.each([
    ['?performanceId=2', 404, { detail: 'There is no such performance.' }],
    [
      '?performanceId=x',
      400,
      { errors: [{ path: 'performanceId', message: 'must be an integer of 1 or more' }] },
    ],
    ['', 400, { errors: [{ path: 'performanceId', message: 'is missing' }] }],
  ])('%s', async (query, status, problem) => {
    await using open = await openPublicPort();
    const answered = await call(open.port, `/reservations/available/dates${query}`);
    expect(answered).toMatchObject({ status, json: problem });
  });
});

describe('a layout', () => {
  const path = '/venues/1/layout';

  test('is shown in bit order, immutable, without what only the allocator needs', async () => {
    await using open = await openPublicPort();
    const answered = await call(open.port, path);
    expect(answered).toMatchObject({
      status: 200,
      headers: {
        'cache-control': 'public, max-age=31536000, immutable',
        vary: 'Accept-Encoding',
        'content-type': 'application/json',
      },
    });
    expect(v.parse(layoutResponse, answered.json)).toEqual(layout);
  });

  test('compressed, and read from the store once', async () => {
    await using open = await openPublicPort();
    const headers = { 'accept-encoding': 'gzip' };
    const answers = await Promise.all([1, 2, 3].map(() => call(open.port, path, { headers })));
    for (const { bytes } of answers) expect(JSON.parse(gunzipSync(bytes).toString())).toEqual(layout);
    expect(answers[0]?.headers).toMatchObject({ 'content-encoding': 'gzip' });
    await call(open.port, path);
    expect(open.service.catalog.layouts).toBe(1);
  });

  test('known already: 304', async () => {
    await using open = await openPublicPort();
    const { etag = '' } = (await call(open.port, path)).headers;
    const answered = await call(open.port, path, { headers: { 'if-none-match': etag } });
    expect(answered).toMatchObject({ status: 304, text: '', headers: { etag } });
  });

  test.each([
    ['/venues/2/layout', 404, { detail: 'There is no such venue.' }],
    ['/venues/x/layout', 400, { errors: [{ path: 'venueId', message: 'must be an integer of 1 or more' }] }],
    ['/venues/1/layout?size=s', 400, { errors: [{ path: 'size', message: 'is not a known field' }] }],
    ['/venues/%31/layout', 200, { venueId: 1 }],
  ])('%s', async (target, status, body) => {
    await using open = await openPublicPort();
    expect(await call(open.port, target)).toMatchObject({ status, json: body });
  });

  test('that the store can’t give now, it may give later', async () => {
    await using open = await openPublicPort();
    open.service.catalog.failure = new StoreUnavailable('gone');
    expect(await call(open.port, path)).toMatchObject({ status: 503, json: { code: 'store-unavailable' } });
    open.service.catalog.failure = undefined;
    expect((await call(open.port, path)).status).toBe(200);
  });
});

describe('health', () => {
  test('alive', async () => {
    await using open = await openPublicPort();
    open.service.reasons = ['the node is starting'];
    expect(await call(open.port, '/healthz')).toMatchObject({ status: 200, json: { status: 'ok' } });
  });

  test('ready', async () => {
    await using open = await openPublicPort();
    expect(await call(open.port, '/readyz')).toMatchObject({ status: 200, json: { status: 'ready' } });
  });

  test('not ready, and why', async () => {
    await using open = await openPublicPort();
    open.service.reasons = ['the node is starting'];
    expect(await call(open.port, '/readyz')).toMatchObject({
      status: 503,
      headers: { 'retry-after': '1' },
      json: { code: 'not-ready', reasons: ['the node is starting'], retryable: true },
    });
  });
});
