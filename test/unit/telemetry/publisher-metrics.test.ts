import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { registerPublisherMetrics } from '../../../src/telemetry/publisher-metrics.ts';

type Stats = ReturnType<Parameters<typeof registerPublisherMetrics>[1]>;

describe('metrics of publishing', () => {
  const linesOf = async (registry: Registry) =>
    (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));

  it('are what the publisher says when they are asked for', async () => {
    const registry = new Registry();
    let stats: Stats = { publishedEvents: 0, failures: 0, isConnected: false };
    registerPublisherMetrics(registry, () => stats);
    expect(await linesOf(registry)).toEqual([
      'usher_published_events_total 0',
      'usher_publisher_failures_total 0',
      'usher_publisher_connected 0',
    ]);
    stats = {
      publishedEvents: 12,
      failures: 3,
      isConnected: true,
      unpublishedEvents: 4,
      lastPublishedSecondsAgo: 0.5,
    };
    expect(await linesOf(registry)).toEqual([
      'usher_published_events_total 12',
      'usher_publisher_failures_total 3',
      'usher_publisher_connected 1',
      'usher_unpublished_events 4',
      'usher_last_published_seconds 0.5',
    ]);
  });
});
