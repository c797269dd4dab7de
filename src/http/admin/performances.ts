import type { PerformanceId } from '../../actors/allocator/ids.ts';
import type { VenueLayout } from '../../actors/allocator/venue-layout.ts';
import type { CatalogService } from '../../actors/runtime/allocator-service.ts';
import type { CategoryPrice } from '../../actors/runtime/catalog.ts';
import { type FieldError, invalidRequest } from '../answer/problem.ts';
import { shownPerformance } from '../public/performances.ts';
import type { AdminRoutes } from '../routes/admin-routes.ts';
import type { Endpoint } from '../routes/route.ts';
import { answerCreation } from './creation.ts';

/** POST /admin/performances */
export function createPerformance(catalog: CatalogService): Endpoint<AdminRoutes['createPerformance']> {
  return async ({ body, idempotencyKey: key }) => {
    const { name, venueId, currency, prices, seatsPerUserMax, orphanRule } = body;
    const layout = await catalog.venueLayout(venueId);
    if (layout === undefined) return invalidRequest([{ path: 'venueId', message: 'is not a venue' }]);
    const errors = priceFaults(prices, categoriesOf(layout));
    if (errors.length > 0) return invalidRequest(errors);
    const performance = {
      name,
      venueId,
      currency,
      prices,
      orphanRule,
      ...(seatsPerUserMax !== undefined && { seatsPerUserMax }),
    };
    return answerCreation(catalog, {
      key,
      kind: 'performance',
      body,
      create: (mark) => catalog.createPerformance(performance, mark),
      show: (id) => ({
        ...shownPerformance({ ...performance, performanceId: id as PerformanceId }),
        seatsPerUserMax,
        orphanRule,
      }),
    });
  };
}

const categoriesOf = (layout: VenueLayout): ReadonlySet<string> =>
  new Set(
    layout.sections.flatMap(({ rows }) => rows.flatMap(({ seats }) => seats.map(({ category }) => category))),
  );

/** Every category has one price, and there are no others. */
function priceFaults(
  prices: readonly CategoryPrice[],
  categories: ReadonlySet<string>,
): readonly FieldError[] {
  const errors: FieldError[] = [];
  const priced = new Set<string>();
  for (const [index, { category }] of prices.entries()) {
    const path = `prices[${index}].category`;
    if (!categories.has(category)) errors.push({ path, message: 'is not a category of the venue' });
    else if (priced.has(category)) errors.push({ path, message: 'has a price already' });
    priced.add(category);
  }
  for (const category of categories) {
    if (!priced.has(category)) {
      errors.push({ path: 'prices', message: `must have a price for the category ${category}` });
    }
  }
  return errors;
}
