import { randomUUID } from 'node:crypto';
import { assert } from './actors/allocator/assert.ts';
import { shardCount } from './actors/allocator/ids.ts';
import type { AllocatorService } from './actors/runtime/allocator-service.ts';
import { type CardGateway, noGateway } from './actors/runtime/card-gateway.ts';
import type { ClusterControl } from './actors/runtime/cluster-control.ts';
import { Directory, type DirectoryLimits } from './actors/runtime/directory.ts';
import { JournalTrimmer } from './actors/runtime/journal-trimmer.ts';
import { singleNodeControl } from './actors/runtime/single-node-control.ts';
import { StoreWatch } from './actors/runtime/store-watch.ts';
import { clusterTiming } from './cluster/cluster-timing.ts';
import { ShardRates } from './cluster/shard-rates.ts';
import type { Config } from './config.ts';
import { routeLabels, routeTable } from './http/routes/route-table.ts';
import { StripeGateway } from './ledger/gateway/stripe-gateway.ts';
import { type ClusterDoor, type OpenCluster, openCluster, openClusterDoor } from './open-cluster.ts';
import { createHttpServers, type NodeSecrets } from './open-http.ts';
import { openCaches, openPublisher } from './open-side-servers.ts';
import { openStorage } from './open-storage.ts';
import { type DataDirectoryLock, lockDataDirectory } from './persistence/sqlite/data-directory-lock.ts';
import { systemClock } from './system-clock.ts';
import type { Log } from './telemetry/log.ts';
import { Metrics } from './telemetry/metrics.ts';
import type { PaymentMetrics } from './telemetry/payment-metrics.ts';

/** A running node. */
export interface Node {
  readonly publicUrl: string;
  readonly adminUrl: string;
  readonly directory: Directory;
  /** Gives its shards to other nodes, if there are any; stops accepting, answers what was accepted, commits, closes. */
  stop(): Promise<void>;
}

export interface NodeOptions {
  readonly config: Config;
  readonly secrets: NodeSecrets;
  readonly version: string;
  readonly log: Log;
  /** Runs when the data directory is this process's, before anything else. @returns the config to run with. */
  readonly onLocked?: () => Promise<Config>;
  /** Runs when the node can decide and before it listens. */
  readonly beforeListening?: (directory: Directory) => Promise<void>;
}

/** The one place that knows every adapter. Rejects, with nothing left open, when the node can't start. */
export async function startNode(options: NodeOptions): Promise<Node> {
  const { config, log } = options;
  // Two nodes may share a database, and a machine; what lies in files belongs to one process.
  const usesDataDir = config.mysql === undefined || options.onLocked !== undefined;
  const lock = usesDataDir ? lockDataDirectory(config.dataDir) : undefined;
  try {
    return await startLocked({ ...options, config: (await options.onLocked?.()) ?? config }, lock);
  } catch (error) {
    log.debug({ err: error }, 'the node did not start');
    lock?.release();
    throw error;
  }
}

async function startLocked(options: NodeOptions, lock: DataDirectoryLock | undefined): Promise<Node> {
  const { config, log } = options;
  if (config.cluster === undefined) return startOpened(options, lock, undefined);
  const door = await openClusterDoor(config.cluster, config, log);
  try {
    return await startOpened(options, lock, door);
  } catch (error) {
    await door.server.close(0);
    throw error;
  }
}

async function startOpened(
  options: NodeOptions,
  lock: DataDirectoryLock | undefined,
  door: ClusterDoor | undefined,
): Promise<Node> {
  const { config, log } = options;
  const instanceId = door?.instance.instanceId ?? `${config.nodeId}/${randomUUID()}`;
  const metrics: Metrics = new Metrics({
    routes: routeLabels(routeTable(config.seatsPerReservationMax)),
    stats: () => directory.stats(),
    storeStats: () => store.stats(),
    ledgerPools: () => ('stats' in ledger ? ledger.stats().pools : []),
    log,
    isProcessWide: true,
  });
  const { store, ledger } = await openStorage({
    config,
    instanceId,
    metrics,
    log,
    onCommitted: () => publisher?.wake(),
  });
  const caches = openCaches(config.redis, ledger, metrics, log);
  let gateway: OpenGateway;
  try {
    gateway = await openGateway(config, ledger.installationId, metrics.payments);
  } catch (error) {
    await store.close();
    await caches.close();
    throw error;
  }
  const rates = new ShardRates(systemClock, shardCount);
  const storeWatch = new StoreWatch(() => directory.confirmShards(), systemClock);
  const directory: Directory = new Directory({
    store,
    ledger: caches.ledger,
    gateway,
    storeWatch: {
      get isSilent() {
        return cluster?.node.isStoreSilent ?? storeWatch.isSilent;
      },
    },
    availableCounts: caches.availableCounts,
    clock: systemClock,
    ids: { instanceId: () => instanceId },
    observer: metrics.runtime,
    shardCount,
    ...(door !== undefined && { trustMs: clusterTiming.trustMs }),
    onCall: (shardId) => rates.count(shardId),
    limits: limitsOf(config),
  });
  /** Known when it listens. */
  let publicUrl = '';
  const common = { directory, rates, version: options.version, url: () => publicUrl };
  const cluster: OpenCluster | undefined =
    door &&
    openCluster({
      ...common,
      ...requireClusterServers(config),
      door,
      installationId: ledger.installationId,
      store,
      records: store.clusterRecords(),
      observer: metrics.watchCluster({ log, stats: () => (cluster as OpenCluster).node.stats() }),
      shardCount,
      payWaitMaxMs: config.payWaitMaxMs,
      log,
    });
  const publisher = openPublisher(config.kafka, store, directory.catalog, config.nodeId, metrics, log);
  const trimmer = new JournalTrimmer({
    outbox: store,
    clock: systemClock,
    retentionMs: config.journalRetentionHours * 3_600_000,
    isPublishing: publisher !== undefined,
    onFault: (fault, error) => metrics.runtime.onFault(fault, error),
  });
  const stopDirectory = async () => {
    // Timers of ours keep no process alive; a ledger that is asked again on its way down must.
    const alive = setInterval(() => {}, 1_000);
    storeWatch.stop();
    try {
      await cluster?.leave();
      await trimmer.stop();
      await directory.stop(async () => await publisher?.stop(publishingGraceMs));
    } finally {
      await gateway.close?.();
      await caches.close();
      await cluster?.close();
      clearInterval(alive);
    }
  };
  try {
    await directory.start();
    await options.beforeListening?.(directory);
    publisher?.start();
    trimmer.start();
    if (cluster === undefined) storeWatch.start();
    else await cluster.node.start();
  } catch (error) {
    await stopDirectory();
    throw error;
  }

  const service: AllocatorService = cluster?.node ?? directory;
  const control: ClusterControl = cluster?.node.control ?? controlOf(config.nodeId, common);
  const { publicServer, adminServer } = createHttpServers({
    ...options,
    service,
    control,
    ledger: caches.ledger,
    metrics,
  });
  const graceMs = config.shutdownGraceSeconds * 1000;
  const stop = async () => {
    await cluster?.node.drain(config.cluster?.drainMaxMs ?? 0, 'it is stopping');
    await Promise.all([publicServer.close(graceMs), adminServer.close(graceMs)]);
    await stopDirectory();
    lock?.release();
  };
  try {
    const publicPort = await publicServer.listen(config.host, config.port);
    publicUrl = urlOf(config.host, publicPort);
    const adminPort = await adminServer.listen(config.adminHost, config.adminPort);
    return {
      publicUrl,
      adminUrl: urlOf(config.adminHost, adminPort),
      directory,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

const limitsOf = (config: Config): DirectoryLimits => ({
  holdTtlMs: config.holdTtlSeconds * 1000,
  holdTotalMaxMs: config.holdTotalMaxSeconds * 1000,
  paymentMaxMs: config.paymentTimeMaxSeconds * 1000,
  payWaitMaxMs: config.payWaitMaxMs,
  seatsPerReservationMax: config.seatsPerReservationMax,
  seatsPerUserMax: config.seatsPerUserMax,
  mailboxMax: config.mailboxMax,
  batchRowsMax: config.batchRowsMax,
  idleActorMs: config.idleActorSeconds * 1000,
});

function requireClusterServers({ cluster, redis }: Config) {
  assert(cluster !== undefined && redis !== undefined, 'a cluster has its settings: config.ts sees to that');
  return { config: cluster, redisUrl: redis.url };
}

interface Shown {
  readonly directory: Directory;
  readonly rates: ShardRates;
  readonly version: string;
  url(): string;
}

const controlOf = (nodeId: string, { directory, rates, version, url }: Shown): ClusterControl =>
  singleNodeControl({
    nodeId,
    version,
    url,
    shardOf: (scheduleId) => directory.shardOf(scheduleId),
    servedShards: () => directory.shards.servedShards(),
    requestsPerSecondOf: (shardId) => rates.requestsPerSecond(shardId),
  });

type OpenGateway = CardGateway & { close?(): Promise<void> };

async function openGateway(
  config: Config,
  installationId: string,
  observer: PaymentMetrics,
): Promise<OpenGateway> {
  if (config.stripeApiKey === undefined) return noGateway;
  return await StripeGateway.open({
    apiUrl: config.stripeApiUrl,
    apiKey: config.stripeApiKey,
    installationId,
    callsMax: config.gatewayCallsMax,
    callLimitMs: config.gatewayCallMaxMs,
    breakerOpenMs: config.gatewayBreakerOpenMs,
    observer,
  });
}

/** How long a node that stops waits until what it has committed is published; the rest is published later. */
const publishingGraceMs = 3_000;

/** Where a person on this machine reaches it. */
function urlOf(host: string, port: number): string {
  const reachable = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`;
}
