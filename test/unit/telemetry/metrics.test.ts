import { describe, expect, test } from 'vitest';
import type { ScheduleId } from '../../../src/actors/allocator/ids.ts';
import { Metrics, type MetricsOptions } from '../../../src/telemetry/metrics.ts';

const metrics = (options: Partial<MetricsOptions> = {}) =>
  new Metrics({
    routes: [
      { method: 'any', path: 'unmatched' },
      { method: 'POST', path: '/reservations' },
      { method: 'GET', path: '/venues/{venueId}/layout' },
    ],
    stats: () => ({ actors: 3, mailboxDepth: 17, openHolds: 40, heldSeats: 95, openPayments: 6 }),
    storeStats: async () => undefined,
    ledgerPools: () => [],
    log: { warn: () => {} },
    isProcessWide: false,
    ...options,
  });

/** Value of one line of the text format. */
const sampleOf = (text: string, sample: string): number => {
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${sample} `));
  return line === undefined ? Number.NaN : Number(line.slice(sample.length + 1));
};

describe('requests', () => {
  test('are counted and timed by route and status', async () => {
    const { http, text } = bound(metrics());
    http.httpRequest(1, 201, 0.4);
    http.httpRequest(1, 201, 3);
    http.httpRequest(1, 409, 20_000);
    http.httpRequest(0, 404, 1);
    const scraped = await text();
    expect(
      sampleOf(scraped, 'usher_http_requests_total{method="POST",route="/reservations",status="201"}'),
    ).toBe(2);
    expect(
      sampleOf(scraped, 'usher_http_requests_total{method="POST",route="/reservations",status="409"}'),
    ).toBe(1);
    expect(sampleOf(scraped, 'usher_http_requests_total{method="any",route="unmatched",status="404"}')).toBe(
      1,
    );
    const bucket = (status: number, le: string) =>
      sampleOf(
        scraped,
        `usher_http_request_duration_seconds_bucket{method="POST",route="/reservations",status="${status}",le="${le}"}`,
      );
    expect([bucket(201, '0.0005'), bucket(201, '0.0025'), bucket(201, '0.005'), bucket(201, '+Inf')]).toEqual(
      [1, 1, 2, 2],
    );
    expect([bucket(409, '10'), bucket(409, '+Inf')]).toEqual([0, 1]);
  });

  test('of a route that nobody called are not listed', async () => {
    expect(await metrics().text()).not.toContain('/venues/{venueId}/layout');
  });
});

describe('the runtime', () => {
  test('tells of batches, decisions, expiries and recoveries', async () => {
    const { runtime, text } = bound(metrics());
    runtime.onBatch(3, 4, 'committed');
    runtime.onBatch(700, 40, 'lost');
    runtime.onDecision('hold', 'ok');
    runtime.onDecision('hold', 'ok');
    runtime.onDecision('hold', 'seats-taken');
    runtime.onDecision('extend', 'replayed');
    runtime.onExpired(5);
    runtime.onRecovery(1 as ScheduleId, 120, 40_000);
    const scraped = await text();
    expect(
      Object.fromEntries(
        [
          'usher_batches_total{outcome="committed"}',
          'usher_batches_total{outcome="lost"}',
          'usher_batch_rows_sum',
          'usher_batch_rows_bucket{le="5"}',
          'usher_batch_duration_seconds_bucket{le="0.005"}',
          'usher_batch_duration_seconds_count',
          'usher_decisions_total{kind="hold",outcome="ok"}',
          'usher_decisions_total{kind="hold",outcome="seats-taken"}',
          'usher_decisions_total{kind="extend",outcome="replayed"}',
          'usher_expiries_total',
          'usher_recovery_seconds_sum',
        ].map((sample) => [sample, sampleOf(scraped, sample)]),
      ),
    ).toEqual({
      'usher_batches_total{outcome="committed"}': 1,
      'usher_batches_total{outcome="lost"}': 1,
      usher_batch_rows_sum: 703,
      'usher_batch_rows_bucket{le="5"}': 1,
      'usher_batch_duration_seconds_bucket{le="0.005"}': 1,
      usher_batch_duration_seconds_count: 2,
      'usher_decisions_total{kind="hold",outcome="ok"}': 2,
      'usher_decisions_total{kind="hold",outcome="seats-taken"}': 1,
      'usher_decisions_total{kind="extend",outcome="replayed"}': 1,
      usher_expiries_total: 5,
      usher_recovery_seconds_sum: 0.12,
    });
  });

  test('is asked for its gauges at each scrape', async () => {
    let actors = 3;
    const { text } = metricsWith(() => ({
      actors,
      mailboxDepth: 17,
      openHolds: 40,
      heldSeats: 95,
      openPayments: 6,
    }));
    const first = await text();
    actors = 4;
    const second = await text();
    expect([first, second].map((scraped) => sampleOf(scraped, 'usher_actors'))).toEqual([3, 4]);
    expect(sampleOf(second, 'usher_mailbox_depth')).toBe(17);
    expect(sampleOf(second, 'usher_holds')).toBe(40);
    expect(sampleOf(second, 'usher_held_seats')).toBe(95);
    expect(sampleOf(second, 'usher_open_payments')).toBe(6);
  });

  test('has its faults counted and logged', async () => {
    const logged: unknown[] = [];
    const { runtime, text } = bound(metrics({ log: { warn: (...entry) => logged.push(entry) } }));
    const error = new Error('disk full');
    runtime.onFault('commit failed', error);
    expect(logged).toEqual([[{ err: error }, 'commit failed']]);
    expect(sampleOf(await text(), 'usher_faults_total')).toBe(1);
  });
});

describe('the text', () => {
  test('is Prometheus’ format: help and type once a family, one value a line', async () => {
    const subject = metrics();
    subject.http.httpRequest(1, 201, 1);
    expect(subject.contentType).toBe('text/plain; version=0.0.4; charset=utf-8');
    const lines = (await subject.text()).split('\n').filter((line) => line !== '');
    const families = lines.filter((line) => line.startsWith('# TYPE')).map((line) => line.split(' ')[2]);
    expect(new Set(families).size).toBe(families.length);
    for (const line of lines.filter((candidate) => !candidate.startsWith('#'))) {
      expect(line).toMatch(/^[a-z_]+(?:\{(?:[a-z_]+="[^"]*",?)+\})? [0-9.e+-]+$/);
    }
  });

  test('has the process and its event loop where that is asked for', async () => {
    const text = await metrics({ isProcessWide: true }).text();
    expect(text).toContain('nodejs_eventloop_lag_p99_seconds');
    expect(text).toContain('process_resident_memory_bytes');
  });
});

const bound = (subject: Metrics) => ({
  http: subject.http,
  runtime: subject.runtime,
  text: () => subject.text(),
});
const metricsWith = (stats: MetricsOptions['stats']) => bound(metrics({ stats }));
