import type { IdempotencyMark, ScheduleEvent } from '../actors/allocator/event.ts';
import { type Memo, memoKinds } from '../actors/allocator/idempotency-window.ts';
import type { IdempotencyKey, ReservationNumber, UserId } from '../actors/allocator/ids.ts';
import type { OpenPayment } from '../actors/allocator/open-payment.ts';
import type { ReservationStatus } from '../actors/allocator/reservation.ts';

/**
 * What one event does to the projection, in words that suit a table: the part of projecting that every store
 * shares. A store carries a change out, and stops the schedule where its own guards refuse it
 * (projection-guard.ts).
 */
export type ProjectionChange = OpenChange | MoveChange | EndPaymentChange | BlockChange;

/** A reservation begins, HELD since the event: its seats become taken by it. */
export interface OpenChange {
  readonly kind: 'open';
  readonly number: ReservationNumber;
  readonly userId: UserId;
  readonly seats: readonly number[];
  readonly totalMinor: number;
  readonly expiresAtMs: number;
  readonly mark?: MarkChange;
}

/** A live reservation gets another status; one that is not live frees the seats and ends it. */
export interface MoveChange {
  readonly kind: 'move';
  readonly number: ReservationNumber;
  readonly status: ReservationStatus;
  /** Absent: as it was. */
  readonly expiresAtMs?: number;
  /** Absent: as it was. */
  readonly payment?: PaymentChange;
  readonly mark?: MarkChange;
}

/**
 * begins: the event's seq names the payment. made, failed: it is over, and the mark that kept its key while
 * it was under way goes with it.
 */
export type PaymentChange =
  | ({ readonly kind: 'begins' } & OpenPayment)
  | { readonly kind: 'made' }
  | { readonly kind: 'failed' };

/** The payment of a reservation that has ended is over as well. */
export interface EndPaymentChange {
  readonly kind: 'end-payment';
  readonly number: ReservationNumber;
}

/** Free seats become blocked, or blocked ones free. */
interface BlockChange {
  readonly kind: 'block' | 'unblock';
  readonly seats: readonly number[];
}

/** A remembered request (I8); its user is the reservation's. */
export interface MarkChange {
  readonly key: IdempotencyKey;
  readonly fingerprint: number;
  /** As in MarkColumns. */
  readonly kind: number;
  readonly expiresAtMs: number;
}

/** Who holds a blocked seat: no reservation has this number. */
export const blockedHolder = 0;

/** I8: how long a key is remembered. Counted in the schedule's own time, so that a replay forgets the same. */
export const markRetentionMs = 24 * 60 * 60 * 1000;

export function projectionChange(event: ScheduleEvent): ProjectionChange {
  switch (event.type) {
    case 'held':
      return {
        kind: 'open',
        number: event.number,
        userId: event.userId,
        seats: event.seats,
        totalMinor: event.totalMinor,
        expiresAtMs: event.expiresAtMs,
        ...markOf(event, 'held', event.expiresAtMs),
      };
    case 'extended':
      return {
        kind: 'move',
        number: event.number,
        status: 'HELD',
        expiresAtMs: event.expiresAtMs,
        ...markOf(event, 'extended', event.expiresAtMs),
      };
    case 'paying':
      return {
        kind: 'move',
        number: event.number,
        status: 'PAYING',
        expiresAtMs: event.expiresAtMs,
        payment: {
          kind: 'begins',
          method: event.method,
          holdLeftMs: event.holdLeftMs,
          idempotency: event.idempotency,
        },
        ...markOf(event, 'paying', event.expiresAtMs),
      };
    case 'paid':
      return {
        kind: 'move',
        number: event.number,
        status: 'PAID',
        payment: { kind: 'made' },
        // A paid reservation does not expire; nothing asks for the time.
        ...markOf(event, 'paid', 0),
      };
    case 'payment-failed':
      if (event.expiresAtMs === undefined) return { kind: 'end-payment', number: event.number };
      return {
        kind: 'move',
        number: event.number,
        status: 'HELD',
        expiresAtMs: event.expiresAtMs,
        payment: { kind: 'failed' },
      };
    case 'cancelled':
      return { kind: 'move', number: event.number, status: 'CANCELLED' };
    case 'expired':
      return { kind: 'move', number: event.number, status: 'EXPIRED' };
    case 'blocked':
      return { kind: 'block', seats: event.seats };
    case 'unblocked':
      return { kind: 'unblock', seats: event.seats };
  }
}

function markOf(
  { idempotency }: { readonly idempotency?: IdempotencyMark },
  kind: Memo['kind'],
  expiresAtMs: number,
): { readonly mark?: MarkChange } {
  if (idempotency === undefined) return {};
  const { key, fingerprint } = idempotency;
  return { mark: { key, fingerprint, kind: memoKinds.indexOf(kind), expiresAtMs } };
}
