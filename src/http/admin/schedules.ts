import { assert } from '../../actors/allocator/assert.ts';
import type { ScheduleId } from '../../actors/allocator/ids.ts';
import type { AllocatorService, CatalogService } from '../../actors/runtime/allocator-service.ts';
import type { ClusterControl } from '../../actors/runtime/cluster-control.ts';
import type { Outcome } from '../../actors/runtime/outcome.ts';
import { notFound, readFailure, refusal } from '../answer/outcome-answer.ts';
import { invalidRequest } from '../answer/problem.ts';
import { jsonReply } from '../answer/reply.ts';
import { shownSchedule } from '../public/available-dates.ts';
import type { AdminRoutes } from '../routes/admin-routes.ts';
import type { Answer, Endpoint } from '../routes/route.ts';
import { answerCreation } from './creation.ts';

/** POST /admin/schedules */
export function createSchedule(catalog: CatalogService): Endpoint<AdminRoutes['createSchedule']> {
  return async ({ body, idempotencyKey: key }) => {
    const { performanceId, startsAt, onSaleAt } = body;
    if (catalog.performance(performanceId) === undefined) await catalog.learn();
    if (catalog.performance(performanceId) === undefined) {
      return invalidRequest([{ path: 'performanceId', message: 'is not a performance' }]);
    }
    const schedule = {
      performanceId,
      startsAtMs: startsAt,
      ...(onSaleAt !== undefined && { onSaleAtMs: onSaleAt }),
    };
    return answerCreation(catalog, {
      key,
      kind: 'schedule',
      body,
      create: (mark) => catalog.createSchedule(schedule, mark),
      show: (scheduleId) => ({ scheduleId }),
    });
  };
}

/** GET /admin/schedules */
export function listSchedules(service: AllocatorService): Endpoint<AdminRoutes['listSchedules']> {
  const { catalog } = service;
  return async () => {
    const listed = catalog.performances().flatMap(({ performanceId }) => catalog.schedulesOf(performanceId));
    await service.refreshAvailable(listed.map(({ scheduleId }) => scheduleId));
    const schedules = catalog.performances().flatMap(({ performanceId, name }) =>
      catalog.schedulesOf(performanceId).map((schedule) => ({
        ...shownSchedule(catalog, schedule),
        performanceId,
        performance: name,
      })),
    );
    return jsonReply(200, { schedules });
  };
}

/** GET /admin/schedules/{scheduleId} */
export function readSchedule(
  service: AllocatorService,
  cluster: Pick<ClusterControl, 'ownerOf'>,
): Endpoint<AdminRoutes['readSchedule']> {
  return async ({ params: { scheduleId } }) => {
    const { catalog } = service;
    if (catalog.schedule(scheduleId) === undefined) await catalog.learn();
    const schedule = catalog.schedule(scheduleId);
    if (schedule === undefined) return notFound('schedule');
    const counts = await service.countSeats(scheduleId);
    if ('failure' in counts) return readFailure(counts, 'schedule');
    const { shardId, ownerNodeId } = cluster.ownerOf(scheduleId);
    const { seq, capacity, free, held, paying, paid, blocked } = counts;
    return jsonReply(200, {
      scheduleId,
      performanceId: schedule.performanceId,
      shardId,
      ownerNodeId: ownerNodeId ?? null,
      seq,
      capacity,
      free,
      held,
      paying,
      paid,
      blocked,
    });
  };
}

/** GET /admin/schedules/{scheduleId}/audit */
export function auditSchedule(service: AllocatorService): Endpoint<AdminRoutes['auditSchedule']> {
  return async ({ params: { scheduleId } }) => {
    const checks = await service.audit(scheduleId);
    if ('failure' in checks) return readFailure(checks, 'schedule');
    return jsonReply(200, { ok: checks.every(({ ok }) => ok), checks });
  };
}

/** POST /admin/schedules/{scheduleId}/block */
export function blockSeats(service: AllocatorService): Endpoint<AdminRoutes['blockSeats']> {
  return ({ params: { scheduleId }, body: { seatIds } }) =>
    changeBlocks(service, scheduleId, { kind: 'block', seatIds });
}

/** POST /admin/schedules/{scheduleId}/unblock */
export function unblockSeats(service: AllocatorService): Endpoint<AdminRoutes['unblockSeats']> {
  return ({ params: { scheduleId }, body: { seatIds } }) =>
    changeBlocks(service, scheduleId, { kind: 'unblock', seatIds });
}

async function changeBlocks(
  service: AllocatorService,
  scheduleId: ScheduleId,
  intent: { readonly kind: 'block' | 'unblock'; readonly seatIds: readonly string[] },
): Promise<Answer> {
  const outcome = await new Promise<Outcome>((resolve) => service.submit(scheduleId, intent, resolve));
  if (outcome.kind === 'rejected' || outcome.kind === 'unavailable') return refusal(outcome, 'schedule');
  assert(outcome.kind === 'blocks-changed', 'a block that is not refused changes blocks');
  return jsonReply(200, { scheduleId, seatIds: outcome.seatIds, seq: outcome.seq });
}
