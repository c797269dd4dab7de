import type { ScheduleId } from './actors/allocator/ids.ts';
import type { CatalogService } from './actors/runtime/allocator-service.ts';
import { type AvailableCounts, noAvailableCounts } from './actors/runtime/available-counts.ts';
import type { Ledger, LedgerAuditor, PointsReader } from './actors/runtime/ledger.ts';
import { CachedLedger } from './ledger/redis/cached-ledger.ts';
import { KafkaPublisher } from './persistence/kafka/kafka-publisher.ts';
import { RedisAvailableCounts } from './persistence/redis/redis-available-counts.ts';
import type { WorkerStore } from './persistence/worker/worker-store.ts';
import { RedisConnection } from './redis/redis-connection.ts';
import type { KafkaConfig, RedisConfig } from './server-settings.ts';
import { systemClock } from './system-clock.ts';
import type { Log } from './telemetry/log.ts';
import type { Metrics } from './telemetry/metrics.ts';
import { relayedFault } from './telemetry/relayed-fault.ts';

type AnyLedger = Ledger & PointsReader & LedgerAuditor & { readonly installationId: string };

/** What stands between the node and its ledger, and between nodes; with Redis or without. */
interface Caches {
  readonly ledger: Ledger & PointsReader & LedgerAuditor;
  readonly availableCounts: AvailableCounts;
  /** The ledger with it. */
  close(): Promise<void>;
}

export function openCaches(
  config: RedisConfig | undefined,
  source: AnyLedger,
  metrics: Metrics,
  log: Log,
): Caches {
  if (config === undefined) {
    return { ledger: source, availableCounts: noAvailableCounts, close: () => source.close() };
  }
  const redis = new RedisConnection({
    url: config.url,
    clock: systemClock,
    observer: metrics.caches,
    onNotice: ({ message }) => log.warn(message),
    commandLimitMs: config.commandMaxMs,
  });
  const ledger = new CachedLedger(source, {
    redis,
    clock: systemClock,
    observer: metrics.caches,
    installationId: source.installationId,
    ttlSeconds: config.balanceTtlSeconds,
  });
  const counts = new RedisAvailableCounts({
    redis,
    clock: systemClock,
    observer: metrics.caches,
    installationId: source.installationId,
  });
  return {
    ledger,
    availableCounts: counts,
    async close() {
      counts.close();
      await ledger.close();
      await redis.close();
    },
  };
}

/** Publishes the store's events; undefined where nobody wants them. Kafka may be down: it is tried for ever. */
export function openPublisher(
  config: KafkaConfig | undefined,
  store: WorkerStore,
  catalog: CatalogService,
  nodeId: string,
  metrics: Metrics,
  log: Log,
): KafkaPublisher | undefined {
  if (config === undefined) return undefined;
  const { brokers, partitions, tls, sasl } = config;
  const publisher = new KafkaPublisher({
    kafka: {
      brokers,
      clientId: `usher-${nodeId}`,
      partitions,
      ...(tls !== undefined && { tls }),
      ...(sasl !== undefined && { sasl }),
    },
    store,
    scheduleOf: async (scheduleId: ScheduleId) => {
      if (catalog.schedule(scheduleId) === undefined) await catalog.learn();
      const schedule = catalog.schedule(scheduleId);
      const performance = schedule && catalog.performance(schedule.performanceId);
      return performance && { venueId: performance.venueId, currency: performance.currency };
    },
    clock: systemClock,
    onNotice: (notice) => {
      if (notice.kind === 'connected') log.info('events are published to Kafka');
      else if (notice.kind === 'warning') log.warn(`Kafka: ${notice.message}`);
      else metrics.runtime.onFault(notice.fault, relayedFault(notice.message));
    },
  });
  metrics.watchPublisher(() => publisher.stats());
  return publisher;
}
