import { assert } from '../../actors/allocator/assert.ts';
import { formatReservationId } from '../../actors/allocator/ids.ts';
import type { Rejection } from '../../actors/allocator/rejection.ts';
import type { ReadFailure } from '../../actors/runtime/allocator-service.ts';
import type { Outcome, UnavailableCode } from '../../actors/runtime/outcome.ts';
import { invalidRequest, Problem, unavailable } from './problem.ts';
import type { HttpReply } from './reply.ts';
import { formatTimestamp } from './timestamp.ts';

/** What an outcome is to a client, other than a reservation. */
type Refused = Extract<Outcome, { readonly kind: 'rejected' | 'unavailable' }>;
type ReservationOutcome = Extract<Outcome, { readonly kind: 'reservation' }>;

const unavailableDetails: Record<UnavailableCode, string> = {
  overloaded: 'Too many requests wait already; send it again a little later.',
  'store-unavailable':
    'The store can’t be reached; send it again, with the same Idempotency-Key if it has one.',
  'shard-moving': 'The schedule is changing its owner; send it again.',
  'not-ready': 'The node is not ready to serve.',
  'gateway-unavailable': 'The card gateway can’t be asked now; the card was not charged.',
};

export const unavailableProblem = (code: UnavailableCode, retryAfterSeconds: number): Problem =>
  unavailable(code, unavailableDetails[code], retryAfterSeconds);

/** @param subject what is not there when the outcome is `not-found`. */
export const refusal = (outcome: Refused, subject: string): Problem =>
  outcome.kind === 'unavailable'
    ? unavailableProblem(outcome.code, outcome.retryAfterSeconds)
    : rejectionProblem(outcome.rejection, subject);

export const notFound = (subject: string): Problem =>
  new Problem('not-found', `There is no such ${subject}.`);

export const readFailure = ({ failure, retryAfterSeconds }: ReadFailure, subject: string): Problem =>
  failure === 'not-found' ? notFound(subject) : unavailableProblem(failure, retryAfterSeconds);

/** Every other kind of outcome belongs to another command: a bug. */
export function assertReservation(outcome: Outcome): asserts outcome is ReservationOutcome {
  assert(outcome.kind === 'reservation', 'what is not refused shows a reservation');
}

/** 201: it is new. 202: its payment goes on, and is to be looked at again. */
export type ReservationStatusCode = 200 | 201 | 202;

/** @param body the reservation, written. */
export function reservationReply(
  status: ReservationStatusCode,
  { view: { scheduleId, number }, replayed }: ReservationOutcome,
  body: string,
): HttpReply {
  const headers = ['Content-Type', 'application/json'];
  if (status !== 200) headers.push('Location', `/reservations/${formatReservationId(scheduleId, number)}`);
  if (status !== 201) headers.push('Cache-Control', 'private, no-store');
  if (status === 202) headers.push('Retry-After', '1');
  if (replayed) headers.push('Idempotency-Replayed', 'true');
  return { status, headers, body };
}

function rejectionProblem(rejection: Rejection, subject: string): Problem {
  const { code } = rejection;
  switch (code) {
    case 'not-found':
      return notFound(subject);
    case 'invalid-request':
      return invalidRequest([{ path: rejection.path, message: rejection.message }]);
    case 'seats-taken':
      return new Problem(code, 'Some of the seats are not free any more.', {
        conflictingSeatIds: rejection.conflictingSeatIds,
      });
    case 'not-enough-adjacent-seats':
      return new Problem(code, 'There are not that many free seats side by side.');
    case 'orphan-seat':
      return new Problem(code, 'Between the seats or beside them a single free seat would remain.', {
        seatIds: rejection.seatIds,
      });
    case 'seat-limit-exceeded':
      return new Problem(code, `A user may have at most ${rejection.limit} seats of this schedule.`, {
        limit: rejection.limit,
      });
    case 'not-on-sale': {
      const onSaleAt = formatTimestamp(rejection.onSaleAtMs);
      return new Problem(code, `The sale begins at ${onSaleAt}.`, { onSaleAt });
    }
    case 'sold-out':
      return new Problem(code, 'No free seat that fits is left.');
    case 'already-paid':
      return new Problem(code, 'The reservation is paid.');
    case 'already-cancelled':
      return new Problem(code, 'The reservation is cancelled.');
    case 'payment-in-progress':
      return new Problem(code, 'A payment for the reservation is under way.');
    case 'hold-expired':
      return new Problem(code, 'The hold has ended, and its seats are free again.');
    case 'unknown-seats':
      return new Problem(code, 'The venue has no such seats.', { seatIds: rejection.seatIds });
    case 'duplicate-seats':
      return new Problem(code, 'A seat can be named only once.', { seatIds: rejection.seatIds });
    case 'idempotency-key-reused':
      return new Problem(code, 'The Idempotency-Key belongs to another request of this user.');
    case 'hold-limit-reached':
      return new Problem(code, 'The hold has had all the time that a hold may have.');
    case 'insufficient-points': {
      const { balance, requiredMinor } = rejection;
      return new Problem(code, `It takes ${requiredMinor} points, and there are ${balance}.`, {
        balance,
        requiredMinor,
      });
    }
    case 'payment-declined':
      return new Problem(code, 'The card gateway declined the payment.', {
        declineCode: rejection.declineCode,
      });
  }
}
