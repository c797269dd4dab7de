import { getRequestListener } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { Hono } from 'hono';
import { invalidRequest, Problem } from '../answer/problem.ts';
import { type Exchange, unmatchedRoute } from '../server/exchange.ts';
import { answerFailure, type HttpLog } from '../server/failure.ts';
import type { Endpoint } from './route.ts';
import { allowOf, type NumberedRoute } from './route-table.ts';
import { type Gate, serveRoute } from './serve-route.ts';

export type RequestHandler = (exchange: Exchange) => void;

/** Serves one route, in full; everything else about the request is the app's. */
export type RouteHandler = (
  exchange: Exchange,
  params: Readonly<Record<string, string>>,
) => void | Promise<void>;

interface Env {
  readonly Bindings: { readonly exchange: Exchange };
}

/**
 * The routes of a port behind hono's router. Handlers write to the exchange themselves, so that there is one
 * writer for hot and other routes; hono is told that the response is sent already.
 */
export function createApp(
  routes: readonly NumberedRoute[],
  handlers: Readonly<Record<string, RouteHandler>>,
  log: HttpLog,
): RequestHandler {
  const app = new Hono<Env>();
  for (const path of pathsInOrder(routes)) {
    for (const { id, index, route } of routes) {
      if (route.path !== path) continue;
      app.on(route.method, honoPath(path), async (c) => {
        const { exchange } = c.env;
        exchange.routeIndex = index;
        await handlers[id]?.(exchange, c.req.param());
        return RESPONSE_ALREADY_SENT;
      });
    }
    const allow = allowOf(
      routes.map(({ route }) => route),
      path,
    );
    app.all(honoPath(path), (c) => {
      c.env.exchange.sendProblem(methodNotAllowed(allow));
      return RESPONSE_ALREADY_SENT;
    });
  }
  app.notFound((c) => {
    c.env.exchange.sendProblem(new Problem('not-found', 'There is nothing at this path.'));
    return RESPONSE_ALREADY_SENT;
  });
  app.onError((error, c) => {
    answerFailure(c.env.exchange, log, error);
    return RESPONSE_ALREADY_SENT;
  });
  return toRequestHandler(app);
}

/** A handler that takes the request through its route's checks to its endpoint. */
export const routeHandler =
  ({ route }: NumberedRoute, endpoint: Endpoint, gate: Gate, bodyBytesMax: number): RouteHandler =>
  async (exchange, params) => {
    const answer = await serveRoute(route, endpoint, { exchange, params, gate, bodyBytesMax });
    if (!(answer instanceof Problem)) exchange.send(answer);
    else if (answer.code === 'body-too-large') exchange.sendProblemAndClose(answer);
    else exchange.sendProblem(answer);
  };

/**
 * The first that matches is taken, so a path of words alone comes before one with a parameter: GET
 * /reservations/pay is a wrong method there, and not a reservation called pay.
 */
function pathsInOrder(routes: readonly NumberedRoute[]): readonly string[] {
  const hasParameter = (path: string) => Number(path.includes('{'));
  const paths = new Set(routes.map(({ route }) => route.path));
  return [...paths].sort((a, b) => hasParameter(a) - hasParameter(b));
}

/** `/venues/{venueId}/layout` as hono writes it: `/venues/:venueId/layout`. */
const honoPath = (path: string): string => path.replaceAll(/\{(\w+)\}/g, ':$1');

const methodNotAllowed = (allow: string): Problem =>
  new Problem('method-not-allowed', `This path knows ${allow}.`, {}, ['Allow', allow]);

const badTarget = invalidRequest([{ path: '', message: 'must be for a path, at a host with a name' }]);

/**
 * @hono/node-server refuses a target or a Host that makes no URL before the app sees it, and tells nobody for
 * which request: it is told to answer nothing, and what nobody has taken or answered is answered here.
 */
function toRequestHandler(app: Hono<Env>): RequestHandler {
  const exchanges = new WeakMap<object, Exchange>();
  const listener = getRequestListener(
    (request, { incoming }) => app.fetch(request, { exchange: exchanges.get(incoming) as Exchange }),
    {
      hostname: 'usher',
      overrideGlobalObjects: false,
      autoCleanupIncoming: false,
      errorHandler: () => {},
    },
  );
  return (exchange) => {
    const { incoming, outgoing } = exchange;
    exchanges.set(incoming, exchange);
    void listener(incoming, outgoing).then(() => {
      if (exchange.routeIndex === unmatchedRoute && !exchange.isAnswered) exchange.sendProblem(badTarget);
    });
  };
}
