import { notFound } from '../answer/outcome-answer.ts';
import { emptyReply } from '../answer/reply.ts';
import { acceptsGzip } from '../input/accept-header.ts';
import { matchesTag } from '../input/entity-tag.ts';
import type { PublicRoutes } from '../routes/public-routes.ts';
import type { Endpoint } from '../routes/route.ts';
import type { LayoutBodies } from './layout-bodies.ts';

/** GET /venues/{venueId}/layout */
export function venueLayout(bodies: LayoutBodies): Endpoint<PublicRoutes['venueLayout']> {
  return async ({ params, exchange }) => {
    const { headers } = exchange.incoming;
    const body = await bodies.of(params.venueId);
    if (body === undefined) return notFound('venue');
    const caching = [
      'ETag',
      body.tag,
      'Cache-Control',
      'public, max-age=31536000, immutable',
      'Vary',
      'Accept-Encoding',
    ];
    if (matchesTag(headers['if-none-match'], body.tag)) return emptyReply(304, caching);
    const type = ['Content-Type', 'application/json', 'X-Content-Type-Options', 'nosniff'];
    return acceptsGzip(headers['accept-encoding'])
      ? { status: 200, headers: [...type, ...caching, 'Content-Encoding', 'gzip'], body: body.gzipped }
      : { status: 200, headers: [...type, ...caching], body: body.json };
  };
}
