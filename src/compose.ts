import { randomUUID } from 'node:crypto';
import { type CardGateway, noGateway } from './actors/runtime/card-gateway.ts';
import { Directory } from './actors/runtime/directory.ts';
import { JournalTrimmer } from './actors/runtime/journal-trimmer.ts';
import { StoreWatch } from './actors/runtime/store-watch.ts';
import { layoutSummary } from './catalog/layout-summary.ts';
import { importSeatingPlan } from './catalog/seating-plan-import.ts';
import type { Config } from './config.ts';
import { createAdminApi } from './http/admin/admin-api.ts';
import { createPublicApi } from './http/public/public-api.ts';
import { routeLabels, routeTable } from './http/routes/route-table.ts';
import { HttpServer, serverLimits } from './http/server/http-server.ts';
import { StripeGateway } from './ledger/gateway/stripe-gateway.ts';
import { openCaches, openPublisher } from './open-side-servers.ts';
import { openStorage } from './open-storage.ts';
import { type DataDirectoryLock, lockDataDirectory } from './persistence/sqlite/data-directory-lock.ts';
import { systemClock } from './system-clock.ts';
import type { Log } from './telemetry/log.ts';
import { Metrics } from './telemetry/metrics.ts';
import type { PaymentMetrics } from './telemetry/payment-metrics.ts';

/** Part of the schema: a store's rows name the shard that they were written under. */
const shardCount = 256;

const publicBodyBytesMax = 16 * 1024;
const adminBodyBytesMax = 32 * 1024 * 1024;

/** A running node. */
export interface Node {
  readonly publicUrl: string;
  readonly adminUrl: string;
  readonly directory: Directory;
  /** Stops accepting, answers what was accepted, commits, closes. */
  stop(): Promise<void>;
}

interface NodeSecrets {
  /** Bytes of the HS256 key; undefined when tokens come from JWKS_URL alone. */
  readonly jwtSecret: Uint8Array | undefined;
  readonly adminToken: string;
  /** The demo: anyone on loopback may have a token. */
  readonly isOpenToLoopback: boolean;
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
  const routes = routeTable(config.seatsPerReservationMax);
  const instanceId = `${config.nodeId}/${randomUUID()}`;
  const metrics: Metrics = new Metrics({
    routes: routeLabels(routes),
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
  const storeWatch = new StoreWatch(
    () => store.ownedShards(instanceId),
    (shardIds) => directory.keepOnly(shardIds),
    systemClock,
  );
  const directory: Directory = new Directory({
    store,
    ledger: caches.ledger,
    gateway,
    storeWatch,
    availableCounts: caches.availableCounts,
    clock: systemClock,
    ids: { instanceId: () => instanceId },
    observer: metrics.runtime,
    shardCount,
    limits: {
      holdTtlMs: config.holdTtlSeconds * 1000,
      holdTotalMaxMs: config.holdTotalMaxSeconds * 1000,
      paymentMaxMs: config.paymentTimeMaxSeconds * 1000,
      payWaitMaxMs: config.payWaitMaxMs,
      seatsPerReservationMax: config.seatsPerReservationMax,
      seatsPerUserMax: config.seatsPerUserMax,
      mailboxMax: config.mailboxMax,
      batchRowsMax: config.batchRowsMax,
      idleActorMs: config.idleActorSeconds * 1000,
    },
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
      await trimmer.stop();
      await directory.stop(async () => await publisher?.stop(publishingGraceMs));
    } finally {
      await gateway.close?.();
      await caches.close();
      clearInterval(alive);
    }
  };
  try {
    await directory.start();
    await options.beforeListening?.(directory);
    publisher?.start();
    trimmer.start();
    storeWatch.start();
  } catch (error) {
    await stopDirectory();
    throw error;
  }

  const publicServer = new HttpServer({
    handler: createPublicApi({
      service: directory,
      ledger: caches.ledger,
      points: caches.ledger,
      tokens: {
        ...(options.secrets.jwtSecret !== undefined && { secret: options.secrets.jwtSecret }),
        ...(config.jwksUrl !== undefined && { jwksUrl: new URL(config.jwksUrl) }),
        ...(config.jwtIssuer !== undefined && { issuer: config.jwtIssuer }),
        ...(config.jwtAudience !== undefined && { audience: config.jwtAudience }),
        ttlSeconds: config.tokenTtlSeconds,
        clients: config.clients,
        isOpenToLoopback: options.secrets.isOpenToLoopback,
      },
      ...(Number.isFinite(config.requestsPerUserPerSecondMax) && {
        rateLimit: {
          requestsMax: config.requestsPerUserPerSecondMax,
          windowSeconds: 1,
        },
      }),
      seatsPerReservationMax: config.seatsPerReservationMax,
      bodyBytesMax: publicBodyBytesMax,
      nowMs: systemClock.nowMs,
      version: options.version,
      log,
    }),
    limits: serverLimits,
    observer: metrics.http,
    log,
  });
  const adminServer = new HttpServer({
    handler: createAdminApi({
      service: directory,
      venues: { importSeatingPlan, layoutSummary },
      ownerOf: (scheduleId) => ({ shardId: directory.shardOf(scheduleId), ownerNodeId: config.nodeId }),
      metrics,
      adminToken: options.secrets.adminToken,
      seatsPerReservationMax: config.seatsPerReservationMax,
      bodyBytesMax: adminBodyBytesMax,
      log,
    }),
    limits: serverLimits,
    observer: metrics.http,
    log,
  });
  const graceMs = config.shutdownGraceSeconds * 1000;
  const stop = async () => {
    await Promise.all([publicServer.close(graceMs), adminServer.close(graceMs)]);
    await stopDirectory();
    lock?.release();
  };
  try {
    const publicPort = await publicServer.listen(config.host, config.port);
    const adminPort = await adminServer.listen(config.adminHost, config.adminPort);
    return {
      publicUrl: urlOf(config.host, publicPort),
      adminUrl: urlOf(config.adminHost, adminPort),
      directory,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

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
