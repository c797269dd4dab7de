import { ExpiryQueue } from './expiry-queue.ts';
import { FreeSeats } from './free-seats.ts';
import { IdempotencyWindow } from './idempotency-window.ts';
import type { ReservationNumber, ScheduleId, UserId } from './ids.ts';
import type { Reservation } from './reservation.ts';
import type { SeatMap } from './seat-map.ts';

/** What was agreed before the sale; never changes while the actor lives. */
export interface ScheduleTerms {
  readonly scheduleId: ScheduleId;
  readonly map: SeatMap;
  /** By the map's category index. */
  readonly priceMinorOfCategory: readonly number[];
  /** Holds before this are refused; 0 = on sale. */
  readonly onSaleAtMs: number;
  /** Live seats a user may have; Infinity = no limit. */
  readonly seatsPerUserMax: number;
  readonly seatsPerReservationMax: number;
  readonly orphanRule: boolean;
  readonly holdTtlMs: number;
  /** A hold, however often it is extended, ends by heldAt + this. */
  readonly holdTotalMaxMs: number;
  /** A payment that is not over by then takes its reservation with it. */
  readonly paymentMaxMs: number;
}

/** Holder of a seat that nobody has, and of one that is not for sale. Reservation numbers start at 1. */
export const freeHolder = 0;
export const blockedHolder = -1;

/**
 * Everything an actor knows of its schedule. evolve alone changes it; decide reads it.
 *
 * A seat's holder, the free-seat bitmap and the reservations tell the same story three times (I11): the
 * holder names conflicts, the bitmap finds seats, the reservation answers its user.
 */
export interface ScheduleState {
  readonly terms: ScheduleTerms;
  /** seq of the last event; the next is one more (I6). */
  seq: number;
  /** Time of the last event: no later event is earlier. */
  lastAtMs: number;
  lastReservationNumber: number;
  readonly free: FreeSeats;
  /** By ordinal: number of the live reservation that has the seat, freeHolder or blockedHolder. */
  readonly holders: Int32Array;
  /** Live ones, and ended ones for as long as a request that made them is remembered. */
  readonly reservations: Map<number, Reservation>;
  /** Numbers of ended reservations in the order of ending, and how many of them were dropped again. */
  readonly ended: { readonly numbers: ReservationNumber[]; dropped: number };
  readonly expiries: ExpiryQueue;
  readonly idempotency: IdempotencyWindow;
  /** Live seats by user; kept only where there is a limit. */
  readonly liveSeatsOfUser: Map<UserId, number>;
  readonly seatCounts: { held: number; paying: number; paid: number; blocked: number };
}

export function emptyState(terms: ScheduleTerms): ScheduleState {
  return {
    terms,
    seq: 0,
    lastAtMs: 0,
    lastReservationNumber: 0,
    free: new FreeSeats(terms.map),
    holders: new Int32Array(terms.map.seatCount),
    reservations: new Map(),
    ended: { numbers: [], dropped: 0 },
    expiries: new ExpiryQueue(),
    idempotency: new IdempotencyWindow(),
    liveSeatsOfUser: new Map(),
    seatCounts: { held: 0, paying: 0, paid: 0, blocked: 0 },
  };
}
