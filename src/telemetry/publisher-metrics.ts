import type { Registry } from 'prom-client';
import { counterFamily, type MetricFamily, register } from './metric-family.ts';

/** What publishing tells of itself. */
export interface PublisherStats {
  /** Repeats included. */
  readonly publishedEvents: number;
  readonly failures: number;
  readonly isConnected: boolean;
  /** Absent while it is not known. */
  readonly unpublishedEvents?: number;
  /** Absent before the first. */
  readonly lastPublishedSecondsAgo?: number;
}

/** Events on their way to Kafka; read when somebody scrapes. For a node that publishes. */
export function registerPublisherMetrics(registry: Registry, stats: () => PublisherStats): void {
  const gauge = (name: string, help: string, read: (stats: PublisherStats) => number | undefined) => ({
    name,
    help,
    type: 'gauge' as const,
    samples: () => {
      const value = read(stats());
      return value === undefined ? [] : [{ labels: {}, value }];
    },
  });
  const families: readonly MetricFamily[] = [
    counterFamily(
      'usher_published_events_total',
      'Events that were published to Kafka, repeats included',
      () => stats().publishedEvents,
    ),
    counterFamily(
      'usher_publisher_failures_total',
      'Attempts to publish that came to nothing; the log tells why',
      () => stats().failures,
    ),
    gauge('usher_publisher_connected', 'Whether there is a connection to Kafka', ({ isConnected }) =>
      isConnected ? 1 : 0,
    ),
    gauge(
      'usher_unpublished_events',
      'Committed events that are not published yet',
      ({ unpublishedEvents }) => unpublishedEvents,
    ),
    gauge(
      'usher_last_published_seconds',
      'Time since events were last published',
      ({ lastPublishedSecondsAgo }) => lastPublishedSecondsAgo,
    ),
  ];
  for (const family of families) register(registry, family);
}
