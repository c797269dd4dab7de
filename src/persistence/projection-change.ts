import type { IdempotencyMark, ScheduleEvent } from '../actors/allocator/event.ts';
import type { IdempotencyKey, ReservationNumber, UserId } from '../actors/allocator/ids.ts';
import type { ReservationStatus } from '../actors/allocator/reservation.ts';

/**
 * What one event does to the projection, in words that suit a table: the part of projecting that every store
 * shares. A store carries a change out, and stops the schedule where its own guards refuse it
 * (projection-guard.ts).
 */
export type ProjectionChange = OpenChange | MoveChange | BlockChange;

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
  readonly mark?: MarkChange;
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

const heldMark = 0;
const extendedMark = 1;

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
        ...markOf(event, heldMark),
      };
    case 'extended':
      return {
        kind: 'move',
        number: event.number,
        status: 'HELD',
        expiresAtMs: event.expiresAtMs,
        ...markOf(event, extendedMark),
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
  event: { readonly expiresAtMs: number; readonly idempotency?: IdempotencyMark },
  kind: number,
): { readonly mark?: MarkChange } {
  if (event.idempotency === undefined) return {};
  const { key, fingerprint } = event.idempotency;
  return { mark: { key, fingerprint, kind, expiresAtMs: event.expiresAtMs } };
}
