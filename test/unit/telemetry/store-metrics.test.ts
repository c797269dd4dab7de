import { Registry } from 'prom-client';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { StoreStats } from '../../../src/actors/runtime/store-stats.ts';
import { StoreMetrics } from '../../../src/telemetry/store-metrics.ts';

const pool = {
  pool: 'primary',
  connectionsMax: 10,
  inUse: 3,
  waiting: 2,
  timeouts: 1,
  gets: 7,
  getSeconds: 0.25,
};
const stats: StoreStats = { projectionLagEvents: 12, unpublishedEvents: 5, pools: [pool] };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function watch(readStats: () => Promise<StoreStats | undefined>) {
  const registry = new Registry();
  const metrics = new StoreMetrics(registry, readStats, () => [{ ...pool, pool: 'ledger', inUse: 1 }]);
  const scrape = async () => {
    await metrics.refresh();
    return (await registry.metrics()).split('\n').filter((line) => !line.startsWith('#') && line !== '');
  };
  return { metrics, scrape };
}

test('tells the lag, and each pool of the store and of the ledger', async () => {
  const lines = await watch(async () => stats).scrape();
  expect(lines).toEqual(
    expect.arrayContaining([
      'usher_projection_lag_events 12',
      'usher_pool_connections_max{pool="primary"} 10',
      'usher_pool_connections_in_use{pool="primary"} 3',
      'usher_pool_connections_in_use{pool="ledger"} 1',
      'usher_pool_waiting{pool="primary"} 2',
      'usher_pool_timeouts_total{pool="primary"} 1',
      'usher_pool_gets_total{pool="primary"} 7',
      'usher_pool_get_seconds_total{pool="primary"} 0.25',
    ]),
  );
});

test('counts slow statements', async () => {
  const { metrics, scrape } = watch(async () => stats);
  metrics.onSlowStatement();
  metrics.onSlowStatement();
  expect(await scrape()).toContain('usher_slow_statements_total 2');
});

test('a store that does not answer keeps no scrape waiting: the last numbers are shown', async () => {
  let answer: () => Promise<StoreStats | undefined> = async () => stats;
  const { scrape } = watch(() => answer());
  await scrape();
  answer = () => new Promise(() => {});
  const scraped = scrape();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(await scraped).toContain('usher_projection_lag_events 12');
  answer = () => Promise.reject(new Error('closed'));
  expect(await scrape()).toContain('usher_projection_lag_events 12');
});

test('tells nothing of a store before it has answered', async () => {
  const lines = await watch(async () => undefined).scrape();
  expect(lines.join()).not.toContain('usher_projection_lag_events');
});
