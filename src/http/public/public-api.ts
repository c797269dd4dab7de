import type { AllocatorService } from '../../actors/runtime/allocator-service.ts';
import type { Ledger, PointsReader } from '../../actors/runtime/ledger.ts';
import { AccessTokens } from '../access/access-tokens.ts';
import { Admission } from '../access/admission.ts';
import { ClientCredentials, type TokenClient } from '../access/client-credentials.ts';
import { RateLimit, type RateLimitOptions } from '../access/rate-limit.ts';
import { isScope } from '../access/scope.ts';
import { TokenIssuer } from '../access/token-issuer.ts';
import { remoteKeys, sharedSecretKeys } from '../access/verification-keys.ts';
import { jsonReply } from '../answer/reply.ts';
import { docsPage, docsSecurityPolicy, withOrigin } from '../docs/docs-page.ts';
import { openApiDocument } from '../docs/openapi.ts';
import { createApp, type RequestHandler, type RouteHandler, routeHandler } from '../routes/app.ts';
import type { HotRouteId, PublicRoutes } from '../routes/public-routes.ts';
import type { Endpoint, Endpoints } from '../routes/route.ts';
import { type NumberedRoute, routeTable } from '../routes/route-table.ts';
import type { Gate } from '../routes/serve-route.ts';
import type { HttpLog } from '../server/failure.ts';
import { availableDates } from './available-dates.ts';
import { AvailableSeats } from './available-seats.ts';
import { createReservation } from './create-reservation.ts';
import { alive, ready } from './health.ts';
import { HotPost, type HotSurroundings } from './hot-post.ts';
import { issueToken } from './issue-token.ts';
import { LayoutBodies } from './layout-bodies.ts';
import { payReservation } from './pay-reservation.ts';
import { performances } from './performances.ts';
import { chargePoints, listEntries, readBalance } from './points.ts';
import { ReservationWriters } from './reservation-writers.ts';
import { cancelReservation, extendReservation, listReservations, readReservation } from './reservations.ts';
import { venueLayout } from './venue-layout.ts';

export interface PublicApiOptions {
  readonly service: AllocatorService;
  readonly ledger: Pick<Ledger, 'charge'>;
  readonly points: PointsReader;
  readonly nowMs: () => number;
  readonly tokens: TokenOptions;
  readonly seatsPerReservationMax: number;
  /** Undefined = no limit. */
  readonly rateLimit?: RateLimitOptions;
  readonly bodyBytesMax: number;
  /** Of Usher, for the OpenAPI file. */
  readonly version: string;
  readonly log: HttpLog;
}

/** At least one of `secret` and `jwksUrl`. */
interface TokenOptions {
  /** HS256, at least 32 bytes. With it this node issues tokens itself. */
  readonly secret?: Uint8Array;
  /** Where another issuer publishes its keys. */
  readonly jwksUrl?: URL;
  /** Checked when given. */
  readonly issuer?: string;
  readonly audience?: string;
  readonly ttlSeconds: number;
  readonly clients: readonly TokenClient[];
  /** The demo: whoever is on this machine gets any token without credentials. */
  readonly isOpenToLoopback: boolean;
}

/** Everything on the public port: the hot routes, and the app behind them. */
export function createPublicApi(options: PublicApiOptions): RequestHandler {
  const { service, seatsPerReservationMax, bodyBytesMax, log } = options;
  const table = routeTable(seatsPerReservationMax);
  const routes = table.filter(({ route }) => route.port === 'public');
  const admission = new Admission(
    accessTokens(options),
    options.rateLimit === undefined ? undefined : new RateLimit(options.rateLimit),
  );
  const writers = new ReservationWriters(service.catalog);
  const surroundings: HotSurroundings = { admission, writers, bodyBytesMax, log };
  const hold = new HotPost(
    createReservation(service, seatsPerReservationMax),
    indexOf(routes, 'createReservation'),
    surroundings,
  );
  const pay = new HotPost(payReservation(service), indexOf(routes, 'payReservation'), surroundings);
  const availableSeats = new AvailableSeats(service, indexOf(routes, 'availableSeats'), log);

  const gate: Gate = (exchange, access) => (isScope(access) ? admission.admit(exchange, access) : undefined);
  const endpoints = publicEndpoints(options, writers, table);
  const handlers: Record<string, RouteHandler> = {
    createReservation: (exchange) => hold.handle(exchange),
    payReservation: (exchange) => pay.handle(exchange),
    availableSeats: (exchange) => availableSeats.handle(exchange),
  };
  for (const entry of routes) {
    handlers[entry.id] ??= routeHandler(entry, endpointOf(endpoints, entry.id), gate, bodyBytesMax);
  }
  const app = createApp(routes, handlers, log);

  // A shortcut past the router, not a second way in: other spellings reach the same handlers through the app.
  return (exchange) => {
    const { method, url = '' } = exchange.incoming;
    if (method === 'POST' && url === '/reservations') hold.handle(exchange);
    else if (method === 'POST' && url === '/reservations/pay') pay.handle(exchange);
    else if (method === 'GET' && url.startsWith('/reservations/available/seat?')) {
      availableSeats.handle(exchange);
    } else app(exchange);
  };
}

function accessTokens({ tokens, nowMs }: PublicApiOptions): AccessTokens {
  const { secret, jwksUrl, issuer, audience } = tokens;
  return new AccessTokens({
    keys: [
      ...(secret === undefined ? [] : [sharedSecretKeys(secret)]),
      ...(jwksUrl === undefined ? [] : [remoteKeys(jwksUrl)]),
    ],
    ...(issuer !== undefined && { issuer }),
    ...(audience !== undefined && { audience }),
    nowMs,
  });
}

function tokenIssuer({ tokens, nowMs }: PublicApiOptions): TokenIssuer | undefined {
  const { secret, issuer, audience, ttlSeconds } = tokens;
  if (secret === undefined) return undefined;
  return new TokenIssuer({
    secret,
    ...(issuer !== undefined && { issuer }),
    ...(audience !== undefined && { audience }),
    ttlSeconds,
    nowMs,
  });
}

type AppEndpoints = Omit<Endpoints<PublicRoutes>, HotRouteId>;

function publicEndpoints(
  options: PublicApiOptions,
  writers: ReservationWriters,
  table: readonly NumberedRoute[],
): AppEndpoints {
  const { service, ledger, points, tokens, nowMs, version } = options;
  const { catalog } = service;
  const document = openApiDocument(table, version);
  const page = docsPage(document);
  return {
    issueToken: issueToken(
      new ClientCredentials(tokens.clients, tokens.isOpenToLoopback),
      tokenIssuer(options),
    ),
    performances: performances(catalog),
    venueLayout: venueLayout(new LayoutBodies(catalog)),
    availableDates: availableDates(service),
    listReservations: listReservations(service, writers, nowMs),
    readReservation: readReservation(service, writers),
    extendReservation: extendReservation(service, writers),
    cancelReservation: cancelReservation(service),
    chargePoints: chargePoints(ledger, nowMs),
    readBalance: readBalance(points),
    listEntries: listEntries(points),
    alive,
    ready: ready(() => service.notReadyReasons()),
    openapi: () => jsonReply(200, document),
    docs: ({ exchange }) => ({
      status: 200,
      headers: [
        'Content-Type',
        'text/html; charset=utf-8',
        'Content-Security-Policy',
        docsSecurityPolicy,
        'X-Content-Type-Options',
        'nosniff',
      ],
      body: withOrigin(page, exchange.incoming.headers.host),
    }),
  };
}

const indexOf = (routes: readonly NumberedRoute[], id: HotRouteId): number =>
  routes.find((entry) => entry.id === id)?.index ?? 0;

/** The table and the endpoints have the same names: both are typed by PublicRoutes. */
const endpointOf = (endpoints: AppEndpoints, id: string): Endpoint =>
  endpoints[id as keyof AppEndpoints] as unknown as Endpoint;
