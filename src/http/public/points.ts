import * as v from 'valibot';
import { formatReservationId } from '../../actors/allocator/ids.ts';
import type { Ledger, PointsEntry, PointsReader } from '../../actors/runtime/ledger.ts';
import { invalidRequest, Problem } from '../answer/problem.ts';
import { jsonReply } from '../answer/reply.ts';
import { formatTimestamp } from '../answer/timestamp.ts';
import { fingerprintOfCharge } from '../input/idempotency-fingerprint.ts';
import { foreignCursor, readCursor, writeCursor } from '../input/page-cursor.ts';
import { pageDefault } from '../input/request-schemas.ts';
import type { PublicRoutes } from '../routes/public-routes.ts';
import type { Endpoint } from '../routes/route.ts';

/** Money is nobody else's business, and changes. */
const uncached = ['Cache-Control', 'private, no-store'];

/** POST /points/charge */
export function chargePoints(
  ledger: Pick<Ledger, 'charge'>,
  nowMs: () => number,
): Endpoint<PublicRoutes['chargePoints']> {
  return async ({ userId, body: { amount }, idempotencyKey }) => {
    const mark = { key: idempotencyKey, fingerprint: fingerprintOfCharge(amount) };
    const outcome = await ledger.charge({ userId, amount, mark, atMs: nowMs() });
    switch (outcome.kind) {
      case 'charged': {
        const { balance, entryId, replayed } = outcome;
        const headers = replayed ? [...uncached, 'Idempotency-Replayed', 'true'] : uncached;
        return jsonReply(200, { userId, balance, entryId }, headers);
      }
      case 'key-reused':
        return new Problem('idempotency-key-reused', 'The Idempotency-Key belongs to another charge.');
      case 'balance-limit':
        return invalidRequest([{ path: 'amount', message: 'must not take the balance beyond its limit' }]);
    }
  };
}

/** GET /points/balance */
export function readBalance(points: PointsReader): Endpoint<PublicRoutes['readBalance']> {
  return async ({ userId }) => jsonReply(200, { userId, balance: await points.balanceOf(userId) }, uncached);
}

/** Of the last entry of a page. */
const position = v.strictTuple([v.pipe(v.number(), v.safeInteger(), v.minValue(1))]);

/** GET /points/entries */
export function listEntries(points: PointsReader): Endpoint<PublicRoutes['listEntries']> {
  return async ({ query: { limit = pageDefault, cursor }, userId }) => {
    const end = cursor === undefined ? undefined : readCursor(position, cursor);
    if (cursor !== undefined && end === undefined) return foreignCursor;
    const page = await points.listEntries({
      userId,
      limit,
      ...(end !== undefined && { beforeEntryId: end[0] }),
    });
    const last = page.entries.at(-1);
    const nextCursor = page.hasMore && last !== undefined ? writeCursor([last.entryId]) : null;
    return jsonReply(200, { entries: page.entries.map(showEntry), nextCursor }, uncached);
  };
}

const showEntry = ({ entryId, kind, amount, balanceAfter, reservation, atMs }: PointsEntry) => ({
  entryId,
  kind,
  amount,
  balanceAfter,
  ...(reservation !== undefined && {
    reservationId: formatReservationId(reservation.scheduleId, reservation.number),
  }),
  at: formatTimestamp(atMs),
});
