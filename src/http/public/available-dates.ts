import type { CatalogService } from '../../actors/runtime/allocator-service.ts';
import type { Schedule } from '../../actors/runtime/catalog.ts';
import { notFound } from '../answer/outcome-answer.ts';
import { jsonReply } from '../answer/reply.ts';
import { formatTimestamp } from '../answer/timestamp.ts';
import type { PublicRoutes } from '../routes/public-routes.ts';
import type { Endpoint } from '../routes/route.ts';

/** GET /reservations/available/dates */
export function availableDates(catalog: CatalogService): Endpoint<PublicRoutes['availableDates']> {
  return ({ query: { performanceId } }) => {
    if (catalog.performance(performanceId) === undefined) return notFound('performance');
    const schedules = catalog.schedulesOf(performanceId).map((schedule) => shownSchedule(catalog, schedule));
    return jsonReply(200, { performanceId, schedules }, ['Cache-Control', 'no-cache']);
  };
}

/** A schedule with what is left of it, as last known. */
export const shownSchedule = (catalog: CatalogService, schedule: Schedule) => ({
  scheduleId: schedule.scheduleId,
  startsAt: formatTimestamp(schedule.startsAtMs),
  onSaleAt: schedule.onSaleAtMs === undefined ? null : formatTimestamp(schedule.onSaleAtMs),
  capacity: catalog.capacity(schedule.scheduleId),
  available: catalog.available(schedule.scheduleId),
});
