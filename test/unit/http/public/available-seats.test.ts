import { gunzipSync } from 'node:zlib';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { AvailabilityView } from '../../../../src/actors/runtime/availability-view.ts';
import { availabilityResponse } from '../../../../src/http/routes/response-schemas.ts';
import { call } from '../client.ts';
import { openPublicPort } from '../open-port.ts';
import { map } from '../theatre.ts';

const path = '/reservations/available/seat?scheduleId=1';
const caching = { etag: '"5"', 'cache-control': 'no-cache', vary: 'Accept, Accept-Encoding' };

describe('the free seats', () => {
  test('as JSON', async () => {
    await using open = await openPublicPort();
    const answered = await call(open.port, path);
    expect(answered).toMatchObject({
      status: 200,
      headers: {
        ...caching,
        'content-type': 'application/json',
        'content-length': String(answered.bytes.length),
      },
    });
    expect(v.parse(availabilityResponse, answered.json)).toEqual({
      scheduleId: 1,
      seq: 5,
      capacity: 8,
      available: 4,
      seatIds: ['A-1', 'A-3', 'Ä-1', 'Ä-3'],
    });
  });

  test('as a bitmap', async () => {
    await using open = await openPublicPort();
    const answered = await call(open.port, path, { headers: { accept: 'application/octet-stream' } });
    expect(answered).toMatchObject({
      status: 200,
      headers: { ...caching, 'content-type': 'application/octet-stream', 'usher-seq': '5' },
    });
    expect([...answered.bytes]).toEqual([0b0101_0101]);
  });

  test.each(['application/json', 'application/octet-stream'])('compressed: %s', async (accept) => {
    await using open = await openPublicPort();
    const plain = await call(open.port, path, { headers: { accept } });
    const zipped = await call(open.port, path, { headers: { accept, 'accept-encoding': 'gzip' } });
    expect(zipped.headers).toMatchObject({ ...caching, 'content-encoding': 'gzip', 'content-type': accept });
    expect(gunzipSync(zipped.bytes)).toEqual(plain.bytes);
  });

  test('with the head alone', async () => {
    await using open = await openPublicPort();
    const full = await call(open.port, path);
    const head = await call(open.port, path, { method: 'HEAD' });
    expect(head).toMatchObject({ status: 200, text: '' });
    expect(head.headers).toMatchObject({ ...caching, 'content-length': full.headers['content-length'] });
  });

  test('follow the schedule', async () => {
    await using open = await openPublicPort();
    await call(open.port, path);
    open.service.view.apply({ seq: 6, taken: [0], freed: [] });
    expect((await call(open.port, path)).json).toMatchObject({ seq: 6, available: 3 });
  });
});

describe('If-None-Match', () => {
  test.each(['"5"', 'W/"5"', '"1", "5"', '*'])('%s: 304', async (tag) => {
    await using open = await openPublicPort();
    const headers = { 'if-none-match': tag, 'accept-encoding': 'gzip' };
    const answered = await call(open.port, path, { headers });
    expect(answered).toMatchObject({ status: 304, text: '', headers: caching });
    expect(answered.headers).not.toHaveProperty('content-length');
  });

  test('of an older state: 200', async () => {
    await using open = await openPublicPort();
    expect((await call(open.port, path, { headers: { 'if-none-match': '"4"' } })).status).toBe(200);
  });
});

describe('what is refused', () => {
  test.each<[query: string, path: string, message: string]>([
    ['', 'scheduleId', 'is missing'],
    ['?', 'scheduleId', 'is missing'],
    ['?scheduleId=', 'scheduleId', 'must be an integer of 1 or more'],
    ['?scheduleId=0', 'scheduleId', 'must be an integer of 1 or more'],
    ['?scheduleId=01', 'scheduleId', 'must be an integer of 1 or more'],
    ['?scheduleId=1.0', 'scheduleId', 'must be an integer of 1 or more'],
    ['?scheduleId=-1', 'scheduleId', 'must be an integer of 1 or more'],
    ['?scheduleId=9007199254740992', 'scheduleId', 'must be an integer of 1 or more'],
    ['?scheduleId=1&scheduleId=2', 'scheduleId', 'is given more than once'],
    ['?scheduleId=1&seq=2', 'seq', 'is not a known field'],
    ['?scheduleId=1&__proto__=2', '__proto__', 'is not a known field'],
  ])('%s', async (query, field, message) => {
    await using open = await openPublicPort();
    const answered = await call(open.port, `/reservations/available/seat${query}`);
    expect(answered).toMatchObject({
      status: 400,
      json: { code: 'invalid-request', errors: [{ path: field, message }] },
    });
  });

  test('an Accept that nothing fits', async () => {
    await using open = await openPublicPort();
    expect(await call(open.port, path, { headers: { accept: 'text/html' } })).toMatchObject({
      status: 406,
      json: { code: 'not-acceptable', available: ['application/json', 'application/octet-stream'] },
    });
  });

  test.each([
    ['not-found', 404, { code: 'not-found', detail: 'There is no such schedule.' }],
    ['overloaded', 503, { code: 'overloaded', retryable: true }],
    ['store-unavailable', 503, { code: 'store-unavailable', retryable: true }],
  ] as const)('%s', async (failure, status, problem) => {
    await using open = await openPublicPort();
    open.service.onAvailability = () => ({ failure, retryAfterSeconds: 2 });
    expect(await call(open.port, path)).toMatchObject({ status, json: problem });
  });

  test('a bug', async () => {
    await using open = await openPublicPort();
    open.service.onAvailability = () => {
      throw new Error('broken');
    };
    expect(await call(open.port, path)).toMatchObject({ status: 500, json: { code: 'internal-error' } });
    expect(open.log).toHaveLength(1);
  });

  test('a bug in a body', async () => {
    await using open = await openPublicPort();
    class BrokenView extends AvailabilityView {
      override toSeatIdsJson(): string {
        throw new Error('broken');
      }
    }
    open.service.view = new BrokenView(map, 1, () => true);
    expect((await call(open.port, path)).status).toBe(500);
  });
});
