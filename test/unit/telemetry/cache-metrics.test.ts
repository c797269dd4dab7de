import { Registry } from 'prom-client';
import { describe, expect, test } from 'vitest';
import { CacheMetrics } from '../../../src/telemetry/cache-metrics.ts';

function stage() {
  const registry = new Registry();
  const cache = new CacheMetrics(registry);
  /** Lines of the text format, without the comments. */
  const lines = async () => (await registry.metrics()).split('\n').filter((line) => /^usher_/.test(line));
  return { cache, lines };
}

describe('metrics of the cache', () => {
  test('are few where there is no Redis', async () => {
    const { lines } = stage();
    expect(await lines()).toEqual([
      'usher_balance_cache_generations_total 0',
      'usher_redis_timeouts_total 0',
    ]);
  });

  test('count requests by cache and result, and tell the share of hits', async () => {
    const { cache, lines } = stage();
    cache.onConnection(true);
    for (const result of ['hit', 'hit', 'hit', 'miss', 'bypass', 'bypass'] as const) {
      cache.onRequest('balance', result);
    }
    cache.onRequest('available', 'bypass');
    expect(await lines()).toEqual(
      expect.arrayContaining([
        'usher_cache_requests_total{cache="balance",result="hit"} 3',
        'usher_cache_requests_total{cache="balance",result="miss"} 1',
        'usher_cache_requests_total{cache="balance",result="bypass"} 2',
        'usher_cache_requests_total{cache="available",result="hit"} 0',
        'usher_cache_requests_total{cache="available",result="bypass"} 1',
        'usher_cache_hit_ratio{cache="balance"} 0.75',
      ]),
    );
    expect((await lines()).join()).not.toContain('usher_cache_hit_ratio{cache="available"}');
  });

  test('tell of fills, deletions and the connection', async () => {
    const { cache, lines } = stage();
    cache.onConnection(false);
    cache.onFill('stored');
    cache.onFill('refused');
    cache.onFill('refused');
    cache.onInvalidations(40, 'first');
    cache.onInvalidations(2, 'again');
    cache.onPending(2);
    cache.onTimeout();
    const told = [
      'usher_balance_cache_fills_total{outcome="stored"} 1',
      'usher_balance_cache_fills_total{outcome="refused"} 2',
      'usher_balance_cache_invalidations_total{attempt="first"} 40',
      'usher_balance_cache_invalidations_total{attempt="again"} 2',
      'usher_balance_cache_invalidations_pending 2',
      'usher_redis_timeouts_total 1',
      'usher_redis_connected 0',
    ];
    expect(await lines()).toEqual(expect.arrayContaining(told));
    cache.onConnection(true);
    cache.onPending(Number.POSITIVE_INFINITY);
    cache.onGenerationRaised();
    expect(await lines()).toEqual(
      expect.arrayContaining([
        'usher_redis_connected 1',
        'usher_balance_cache_invalidations_pending +Inf',
        'usher_balance_cache_generations_total 1',
      ]),
    );
  });
});
