import type { ReservationNumber, UserId } from './ids.ts';
import type { Payment } from './open-payment.ts';

/** Stored as a small integer in projections; the order is part of the schema and only ever grows. */
export const reservationStatuses = ['HELD', 'PAYING', 'PAID', 'EXPIRED', 'CANCELLED'] as const;
export type ReservationStatus = (typeof reservationStatuses)[number];

/** A set of seats for one user. Mutable only by evolve. */
export interface Reservation {
  readonly number: ReservationNumber;
  readonly userId: UserId;
  /** Ordinals of the seats, in the order in which they are shown. */
  readonly seats: readonly number[];
  readonly totalMinor: number;
  readonly heldAtMs: number;
  status: ReservationStatus;
  /** Of a hold; of a payment that is under way, the time by which it must have come to an end. */
  expiresAtMs: number;
  /** When it became EXPIRED or CANCELLED; 0 while it is live. */
  endedAtMs: number;
  /** `seq` of the event that made it what it is. */
  seq: number;
  /** The payment that is under way or was made; undefined when there is none. */
  payment: Payment | undefined;
  /** Index in the expiry queue; -1 when it is not in it. Owned by expiry-queue.ts. */
  expiryIndex: number;
}

/** It ends by itself, at its expiresAtMs. */
export const expires = (status: ReservationStatus): boolean => status === 'HELD' || status === 'PAYING';

/** Its payment is not over: S2 is still to come, whatever has become of the seats. */
export const hasOpenPayment = ({ payment }: Pick<Reservation, 'payment'>): boolean =>
  payment?.open !== undefined;

/** Live reservations own their seats. */
export const isLive = (status: ReservationStatus): boolean =>
  status === 'HELD' || status === 'PAYING' || status === 'PAID';
