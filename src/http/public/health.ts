import { Problem } from '../answer/problem.ts';
import { jsonReply } from '../answer/reply.ts';
import type { PublicRoutes } from '../routes/public-routes.ts';
import type { Endpoint } from '../routes/route.ts';

/** GET /healthz */
export const alive: Endpoint<PublicRoutes['alive']> = () =>
  jsonReply(200, { status: 'ok' }, ['Cache-Control', 'no-store']);

/** GET /readyz: also tells load balancers to stop sending when this port has begun to close. */
export function ready(notReadyReasons: () => readonly string[]): Endpoint<PublicRoutes['ready']> {
  return ({ exchange }) => {
    const reasons = [...notReadyReasons()];
    if (exchange.isDraining) reasons.push('the node is shutting down');
    if (reasons.length === 0) return jsonReply(200, { status: 'ready' }, ['Cache-Control', 'no-store']);
    return new Problem('not-ready', `Not ready: ${reasons.join('; ')}.`, { reasons }, ['Retry-After', '1']);
  };
}
