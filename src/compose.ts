import { randomUUID } from 'node:crypto';
import { type CardGateway, noGateway } from './actors/runtime/card-gateway.ts';
import { Directory } from './actors/runtime/directory.ts';
import { StoreUnavailable } from './actors/runtime/ports.ts';
import { layoutSummary } from './catalog/layout-summary.ts';
import { importSeatingPlan } from './catalog/seating-plan-import.ts';
import type { Config } from './config.ts';
import { createAdminApi } from './http/admin/admin-api.ts';
import { createPublicApi } from './http/public/public-api.ts';
import { routeLabels, routeTable } from './http/routes/route-table.ts';
import { HttpServer, serverLimits } from './http/server/http-server.ts';
import { StripeGateway } from './ledger/gateway/stripe-gateway.ts';
import { openSqliteLedger, type SqliteLedger } from './ledger/sqlite/sqlite-ledger.ts';
import { type DataDirectoryLock, lockDataDirectory } from './persistence/sqlite/data-directory-lock.ts';
import { openSqliteStore } from './persistence/sqlite/sqlite-store.ts';
import type { WorkerStore } from './persistence/worker/worker-store.ts';
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
  const lock = lockDataDirectory(config.dataDir);
  try {
    return await startLocked({ ...options, config: (await options.onLocked?.()) ?? config }, lock);
  } catch (error) {
    log.debug({ err: error }, 'the node did not start');
    lock.release();
    throw error;
  }
}

async function startLocked(options: NodeOptions, lock: DataDirectoryLock): Promise<Node> {
  const { config, log } = options;
  const routes = routeTable(config.seatsPerReservationMax);
  const metrics: Metrics = new Metrics({
    routes: routeLabels(routes),
    stats: () => directory.stats(),
    log,
    isProcessWide: true,
  });
  const money = await openMoney(config, metrics.payments);
  const store = await openSqliteStore({
    directory: config.dataDir,
    onProjectionError: (error) =>
      log.error(error, 'a projection stopped: queries of its schedule grow stale'),
  }).catch(async (error: unknown) => {
    await money.close();
    throw error;
  });
  try {
    await checkPair(store, money.ledger);
  } catch (error) {
    await store.close();
    await money.close();
    throw error;
  }
  const directory: Directory = new Directory({
    store,
    ledger: money.ledger,
    gateway: money.gateway,
    clock: systemClock,
    ids: { instanceId: () => `${config.nodeId}/${randomUUID()}` },
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
  const stopDirectory = async () => {
    // Timers of ours keep no process alive; a ledger that is asked again on its way down must.
    const alive = setInterval(() => {}, 1_000);
    try {
      await directory.stop();
    } finally {
      await money.close();
      clearInterval(alive);
    }
  };
  try {
    await directory.start();
    await options.beforeListening?.(directory);
  } catch (error) {
    await stopDirectory();
    throw error;
  }

  const publicServer = new HttpServer({
    handler: createPublicApi({
      service: directory,
      ledger: money.ledger,
      points: money.ledger,
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
    lock.release();
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

/**
 * Payments are named by the journal: with a ledger of another one, a payment could find a namesake approved, and
 * with none of its own, balances would silently be 0. Throws StoreUnavailable.
 */
async function checkPair(store: WorkerStore, ledger: SqliteLedger): Promise<void> {
  const { journalId, ledgerId } = await store.linkLedger(ledger.installationId);
  const isPair = ledgerId === ledger.installationId && (await ledger.linkJournal(journalId)) === journalId;
  if (isPair) return;
  throw new StoreUnavailable(
    'usher.db and ledger.db in DATA_DIR do not belong together: restore both from one backup, or begin with an empty directory',
  );
}

interface Money {
  readonly ledger: SqliteLedger;
  readonly gateway: CardGateway;
  close(): Promise<void>;
}

async function openMoney(config: Config, observer: PaymentMetrics): Promise<Money> {
  const ledger = await openSqliteLedger({
    directory: config.dataDir,
    operationsWaitingMax: config.ledgerWaitingMax,
    clock: systemClock,
    observer,
  });
  if (config.stripeApiKey === undefined) return { ledger, gateway: noGateway, close: () => ledger.close() };
  const gateway = await StripeGateway.open({
    apiUrl: config.stripeApiUrl,
    apiKey: config.stripeApiKey,
    installationId: ledger.installationId,
    callsMax: config.gatewayCallsMax,
    callLimitMs: config.gatewayCallMaxMs,
    breakerOpenMs: config.gatewayBreakerOpenMs,
    observer,
  }).catch(async (error: unknown) => {
    await ledger.close();
    throw error;
  });
  const close = async () => {
    await gateway.close();
    await ledger.close();
  };
  return { ledger, gateway, close };
}

/** Where a person on this machine reaches it. */
function urlOf(host: string, port: number): string {
  const reachable = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`;
}
