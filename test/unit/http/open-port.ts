import { type AdminApiOptions, createAdminApi } from '../../../src/http/admin/admin-api.ts';
import { createPublicApi, type PublicApiOptions } from '../../../src/http/public/public-api.ts';
import type { RequestHandler } from '../../../src/http/routes/app.ts';
import { routeLabels, routeTable } from '../../../src/http/routes/route-table.ts';
import { HttpServer, type ServerLimits, serverLimits } from '../../../src/http/server/http-server.ts';
import { Metrics } from '../../../src/telemetry/metrics.ts';
import { type Answered, call } from './client.ts';
import { ScriptedCluster } from './scripted-cluster.ts';
import { ScriptedLedger } from './scripted-ledger.ts';
import { ScriptedService } from './scripted-service.ts';
import { heldAtMs } from './theatre.ts';

export interface Logged {
  readonly level: 'warn' | 'error';
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

/** An open port with everything that a test looks at; closes with `await using`. */
export interface OpenPort extends AsyncDisposable {
  readonly port: number;
  readonly server: HttpServer;
  readonly service: ScriptedService;
  readonly ledger: ScriptedLedger;
  readonly cluster: ScriptedCluster;
  readonly log: Logged[];
  readonly metrics: Metrics;
}

export const secret = new TextEncoder().encode('a secret of thirty-two bytes or more');
export const adminToken = 'the-admin-token';
const seatsPerReservationMax = 10;

interface PortOptions {
  readonly limits?: Partial<ServerLimits>;
  /** That it listens on; else a free one. */
  readonly port?: number;
}

export type PublicPortOptions = PortOptions & Partial<PublicApiOptions>;
export type AdminPortOptions = PortOptions & Partial<AdminApiOptions>;

export function openPublicPort({ limits, port, ...options }: PublicPortOptions = {}): Promise<OpenPort> {
  return open(
    { ...(limits && { limits }), ...(port !== undefined && { port }) },
    ({ service, ledger, log }) =>
      createPublicApi({
        service,
        ledger,
        points: ledger,
        nowMs: () => Date.now(),
        tokens: { secret, ttlSeconds: 3600, clients: [], isOpenToLoopback: true },
        seatsPerReservationMax,
        bodyBytesMax: 16 * 1024,
        version: '0.0.0',
        log,
        ...options,
      }),
  );
}

export function openAdminPort({ limits, port, ...options }: AdminPortOptions = {}): Promise<OpenPort> {
  return open(
    { ...(limits && { limits }), ...(port !== undefined && { port }) },
    ({ service, cluster, log, metrics }) =>
      createAdminApi({
        service,
        venues: {
          importSeatingPlan: () => ({ faults: [{ path: '', message: 'must be a plan' }], faultsTotal: 1 }),
          layoutSummary: () => ({ name: '', seats: 0, sections: 0, categories: [] }),
        },
        cluster,
        metrics,
        adminToken,
        seatsPerReservationMax,
        bodyBytesMax: 32 * 1024 * 1024,
        log,
        ...options,
      }),
  );
}

type TestLog = PublicApiOptions['log'];

interface Surroundings {
  readonly service: ScriptedService;
  readonly ledger: ScriptedLedger;
  readonly cluster: ScriptedCluster;
  readonly log: TestLog;
  readonly metrics: Metrics;
}

async function open(
  { limits, port: wanted = 0 }: Pick<AdminPortOptions, 'limits' | 'port'>,
  createHandler: (surroundings: Surroundings) => RequestHandler,
): Promise<OpenPort> {
  const service = new ScriptedService();
  const ledger = new ScriptedLedger();
  const cluster = new ScriptedCluster();
  const logged: Logged[] = [];
  const log: TestLog = {
    warn: (fields, message) => logged.push({ level: 'warn', fields, message }),
    error: (fields, message) => logged.push({ level: 'error', fields, message }),
  };
  const metrics = new Metrics({
    routes: routeLabels(routeTable(seatsPerReservationMax)),
    stats: () => ({ actors: 0, mailboxDepth: 0, openHolds: 0, openPayments: 0, heldSeats: 0 }),
    log,
    storeStats: async () => undefined,
    ledgerPools: () => [],
    isProcessWide: false,
  });
  const server = new HttpServer({
    handler: createHandler({ service, ledger, cluster, log, metrics }),
    limits: { ...serverLimits, ...limits },
    observer: metrics.http,
    log,
  });
  const port = await server.listen('127.0.0.1', wanted);
  return {
    port,
    server,
    service,
    ledger,
    cluster,
    log: logged,
    metrics,
    [Symbol.asyncDispose]: () => server.close(0),
  };
}

/** A token from the port itself. */
export async function tokenFrom(port: number, userId = 'ada', scopes?: readonly string[]): Promise<string> {
  const answered = await call(port, '/auth/token', { method: 'POST', body: { userId, scopes } });
  const { accessToken } = answered.json;
  return accessToken as string;
}

export async function authorized(port: number): Promise<{ readonly authorization: string }> {
  return { authorization: `Bearer ${await tokenFrom(port)}` };
}

export const operator = { authorization: `Bearer ${adminToken}` };

/** The time of the theatre's reservations. */
export const atHold = (): number => heldAtMs;

export const problemOf = ({ status, headers, json }: Answered) => ({
  status,
  type: headers['content-type'],
  ...json,
});
