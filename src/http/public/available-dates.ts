import type { PerformanceId } from '../../actors/allocator/ids.ts';
import type { AllocatorService, CatalogService } from '../../actors/runtime/allocator-service.ts';
import type { Schedule } from '../../actors/runtime/catalog.ts';
import { notFound } from '../answer/outcome-answer.ts';
import { jsonReply } from '../answer/reply.ts';
import { formatTimestamp } from '../answer/timestamp.ts';
import type { PublicRoutes } from '../routes/public-routes.ts';
import type { Endpoint } from '../routes/route.ts';

/** GET /reservations/available/dates */
export function availableDates(service: AllocatorService): Endpoint<PublicRoutes['availableDates']> {
  const { catalog } = service;
  const answer = (performanceId: PerformanceId) => {
    if (catalog.performance(performanceId) === undefined) return notFound('performance');
    const schedules = catalog.schedulesOf(performanceId);
    const show = () =>
      jsonReply(
        200,
        { performanceId, schedules: schedules.map((schedule) => shownSchedule(catalog, schedule)) },
        ['Cache-Control', 'no-cache'],
      );
    const refreshing = service.refreshAvailable(schedules.map(({ scheduleId }) => scheduleId));
    return refreshing === undefined ? show() : refreshing.then(show);
  };
  return ({ query: { performanceId } }) => {
    // Another node may have created it.
    if (catalog.performance(performanceId) !== undefined) return answer(performanceId);
    return catalog.learn().then(() => answer(performanceId));
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
