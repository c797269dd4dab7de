import type { CatalogService } from '../../actors/runtime/allocator-service.ts';
import type { Performance } from '../../actors/runtime/catalog.ts';
import { jsonReply } from '../answer/reply.ts';
import type { PublicRoutes } from '../routes/public-routes.ts';
import type { Endpoint } from '../routes/route.ts';

/** GET /performances */
export function performances(catalog: CatalogService): Endpoint<PublicRoutes['performances']> {
  return () => jsonReply(200, { performances: catalog.performances().map(shownPerformance) });
}

/** What buyers see of a performance. */
export const shownPerformance = ({ performanceId, name, venueId, currency, prices }: Performance) => ({
  performanceId,
  name,
  venueId,
  currency,
  prices: prices.map(({ category, priceMinor }) => ({ category, priceMinor })),
});
