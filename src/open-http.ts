import type { AllocatorService } from './actors/runtime/allocator-service.ts';
import type { ClusterControl } from './actors/runtime/cluster-control.ts';
import type { Ledger, PointsReader } from './actors/runtime/ledger.ts';
import { layoutSummary } from './catalog/layout-summary.ts';
import { importSeatingPlan } from './catalog/seating-plan-import.ts';
import type { Config } from './config.ts';
import { createAdminApi } from './http/admin/admin-api.ts';
import { createPublicApi } from './http/public/public-api.ts';
import { HttpServer, serverLimits } from './http/server/http-server.ts';
import { systemClock } from './system-clock.ts';
import type { Log } from './telemetry/log.ts';
import type { Metrics } from './telemetry/metrics.ts';

const publicBodyBytesMax = 16 * 1024;
const adminBodyBytesMax = 32 * 1024 * 1024;

export interface NodeSecrets {
  /** Bytes of the HS256 key; undefined when tokens come from JWKS_URL alone. */
  readonly jwtSecret: Uint8Array | undefined;
  readonly adminToken: string;
  /** The demo: anyone on loopback may have a token. */
  readonly isOpenToLoopback: boolean;
}

interface HttpOptions {
  readonly config: Config;
  readonly secrets: NodeSecrets;
  readonly service: AllocatorService;
  readonly ledger: Pick<Ledger, 'charge'> & PointsReader;
  readonly control: ClusterControl;
  readonly metrics: Metrics;
  readonly version: string;
  readonly log: Log;
}

/** The two ports of a node, not listening yet. */
export function createHttpServers(options: HttpOptions): {
  readonly publicServer: HttpServer;
  readonly adminServer: HttpServer;
} {
  const { config, secrets, service, ledger, control, metrics, version, log } = options;
  const common = { limits: serverLimits, observer: metrics.http, log };
  const publicServer = new HttpServer({
    ...common,
    handler: createPublicApi({
      service,
      ledger,
      points: ledger,
      tokens: {
        ...(secrets.jwtSecret !== undefined && { secret: secrets.jwtSecret }),
        ...(config.jwksUrl !== undefined && { jwksUrl: new URL(config.jwksUrl) }),
        ...(config.jwtIssuer !== undefined && { issuer: config.jwtIssuer }),
        ...(config.jwtAudience !== undefined && { audience: config.jwtAudience }),
        ttlSeconds: config.tokenTtlSeconds,
        clients: config.clients,
        isOpenToLoopback: secrets.isOpenToLoopback,
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
      version,
      log,
    }),
  });
  const adminServer = new HttpServer({
    ...common,
    handler: createAdminApi({
      service,
      venues: { importSeatingPlan, layoutSummary },
      cluster: control,
      metrics,
      adminToken: secrets.adminToken,
      seatsPerReservationMax: config.seatsPerReservationMax,
      bodyBytesMax: adminBodyBytesMax,
      log,
    }),
  });
  return { publicServer, adminServer };
}
