import type { AllocatorService } from '../../actors/runtime/allocator-service.ts';
import type { Outcome, Reply } from '../../actors/runtime/outcome.ts';
import type { ReservationQuery } from '../../actors/runtime/ports.ts';
import { storedView } from '../../actors/runtime/reservation-view.ts';
import { assertReservation, refusal, reservationReply } from '../answer/outcome-answer.ts';
import { emptyReply } from '../answer/reply.ts';
import { fingerprintOfExtend } from '../input/idempotency-fingerprint.ts';
import { foreignCursor } from '../input/page-cursor.ts';
import { pageDefault } from '../input/request-schemas.ts';
import type { PublicRoutes } from '../routes/public-routes.ts';
import type { Answer, Endpoint } from '../routes/route.ts';
import { readReservationCursor, writeReservationCursor } from './reservation-cursor.ts';
import type { ReservationWriters } from './reservation-writers.ts';

/** GET /reservations/{reservationId} */
export function readReservation(
  service: AllocatorService,
  writers: ReservationWriters,
): Endpoint<PublicRoutes['readReservation']> {
  return async ({ params: { reservationId }, userId }) =>
    reservationAnswer(
      await outcomeOf((reply) => service.readReservation(reservationId, userId, reply)),
      writers,
    );
}

/** POST /reservations/{reservationId}/extend */
export function extendReservation(
  service: AllocatorService,
  writers: ReservationWriters,
): Endpoint<PublicRoutes['extendReservation']> {
  return async ({ params: { reservationId }, userId, idempotencyKey }) => {
    const { scheduleId, number } = reservationId;
    const idempotency = idempotencyKey && {
      idempotency: { key: idempotencyKey, fingerprint: fingerprintOfExtend(reservationId) },
    };
    const intent = { kind: 'extend', userId, number, ...idempotency } as const;
    return reservationAnswer(await outcomeOf((reply) => service.submit(scheduleId, intent, reply)), writers);
  };
}

/** DELETE /reservations/{reservationId} */
export function cancelReservation(service: AllocatorService): Endpoint<PublicRoutes['cancelReservation']> {
  return async ({ params: { reservationId }, userId }) => {
    const { scheduleId, number } = reservationId;
    const outcome = await outcomeOf((reply) =>
      service.submit(scheduleId, { kind: 'cancel', userId, number }, reply),
    );
    return isRefusal(outcome) ? refusal(outcome, 'reservation') : emptyReply(204);
  };
}

/** GET /reservations */
export function listReservations(
  service: AllocatorService,
  writers: ReservationWriters,
  nowMs: () => number,
): Endpoint<PublicRoutes['listReservations']> {
  return async ({ query, userId }) => {
    const { status, scheduleId, limit = pageDefault, cursor } = query;
    const after = cursor === undefined ? undefined : readReservationCursor(cursor);
    if (cursor !== undefined && after === undefined) return foreignCursor;
    const wanted: ReservationQuery = {
      userId,
      limit,
      ...(status !== undefined && { status }),
      ...(scheduleId !== undefined && { scheduleId }),
      ...(after !== undefined && { after }),
    };
    const page = await service.listReservations(wanted);
    const asOfMs = nowMs();
    const written = await Promise.all(
      page.reservations.map(async (stored) =>
        (await writers.load(stored.scheduleId)).write(storedView(stored, asOfMs)),
      ),
    );
    const last = page.reservations.at(-1);
    const nextCursor = page.hasMore && last !== undefined ? writeReservationCursor(last) : null;
    const headers = ['Content-Type', 'application/json', 'Cache-Control', 'private, no-store'];
    if (page.asOfSeq !== undefined) headers.push('Usher-As-Of-Seq', String(page.asOfSeq));
    const body = `{"reservations":[${written.join(',')}],"nextCursor":${JSON.stringify(nextCursor)}}`;
    return { status: 200, headers, body };
  };
}

const outcomeOf = (ask: (reply: Reply) => void): Promise<Outcome> => new Promise((resolve) => ask(resolve));

const isRefusal = (outcome: Outcome): outcome is Extract<Outcome, { kind: 'rejected' | 'unavailable' }> =>
  outcome.kind === 'rejected' || outcome.kind === 'unavailable';

async function reservationAnswer(outcome: Outcome, writers: ReservationWriters): Promise<Answer> {
  if (isRefusal(outcome)) return refusal(outcome, 'reservation');
  assertReservation(outcome);
  const writer = await writers.load(outcome.view.scheduleId);
  return reservationReply(200, outcome, writer.write(outcome.view));
}
