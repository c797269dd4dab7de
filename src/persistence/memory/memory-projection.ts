import type { ScheduleEvent } from '../../actors/allocator/event.ts';
import type { IdempotencyKey, ReservationNumber, UserId } from '../../actors/allocator/ids.ts';
import type { OpenPayment } from '../../actors/allocator/open-payment.ts';
import { expires, isLive, type ReservationStatus } from '../../actors/allocator/reservation.ts';
import {
  blockedHolder,
  type EndPaymentChange,
  type MarkChange,
  type MoveChange,
  markRetentionMs,
  type OpenChange,
  projectionChange,
} from '../projection-change.ts';
import { guard } from '../projection-guard.ts';

export interface MemoryReservation {
  readonly number: ReservationNumber;
  readonly userId: UserId;
  readonly seats: readonly number[];
  readonly totalMinor: number;
  readonly heldAtMs: number;
  status: ReservationStatus;
  expiresAtMs: number;
  endedAtMs: number;
  seq: number;
  /** seq of the payment that is under way or was made; 0 = none. */
  paymentSeq: number;
  paidAtMs: number;
  openPayment: OpenPayment | undefined;
}

export interface MemoryMark {
  readonly seq: number;
  readonly atMs: number;
  readonly userId: UserId;
  readonly key: IdempotencyKey;
  readonly fingerprint: number;
  readonly number: ReservationNumber;
  readonly kind: number;
  readonly expiresAtMs: number;
}

/** The projection of one schedule, with the guards that the SQL stores have: I1 and I6. */
export class MemoryProjection {
  projectedSeq = 0;
  lastAtMs = 0;
  lastReservationNumber = 0;
  /** By number: they begin in that order. */
  readonly reservations = new Map<ReservationNumber, MemoryReservation>();
  /** Who has a seat: the number of a live reservation, or blockedHolder. */
  readonly holders = new Map<number, number>();
  /** By seq. */
  readonly marks: MemoryMark[] = [];

  /** Throws ProjectionGuardTripped, and has then changed nothing. */
  apply(event: ScheduleEvent): void {
    const { seq, atMs } = event;
    guard(seq === this.projectedSeq + 1, `seq ${seq} follows ${this.projectedSeq}`);
    const change = projectionChange(event);
    switch (change.kind) {
      case 'open':
        this.#open(event, change);
        break;
      case 'move':
        this.#move(event, change);
        break;
      case 'end-payment':
        this.#endPayment(event, change);
        break;
      case 'block':
        this.#take(change.seats, blockedHolder);
        break;
      case 'unblock':
        this.#free(change.seats, blockedHolder);
        break;
    }
    this.projectedSeq = seq;
    this.lastAtMs = atMs;
    this.#forgetOldMarks();
  }

  #open(event: ScheduleEvent, change: OpenChange): void {
    const { number, userId, seats, totalMinor, expiresAtMs, mark } = change;
    const { seq, atMs } = event;
    guard(!this.reservations.has(number), `reservation ${number} exists already`);
    this.#take(seats, number);
    this.reservations.set(number, {
      number,
      userId,
      seats,
      totalMinor,
      heldAtMs: atMs,
      status: 'HELD',
      expiresAtMs,
      endedAtMs: 0,
      seq,
      paymentSeq: 0,
      paidAtMs: 0,
      openPayment: undefined,
    });
    this.lastReservationNumber = Math.max(this.lastReservationNumber, number);
    this.#remember(event, number, userId, mark);
  }

  #move(event: ScheduleEvent, { number, status, expiresAtMs, payment, mark }: MoveChange): void {
    const reservation = this.reservations.get(number);
    guard(reservation !== undefined, `reservation ${number} does not exist`);
    guard(isLive(reservation.status), `reservation ${number} has ended already`);
    const isBegunTwice = payment?.kind === 'begins' && reservation.openPayment !== undefined;
    guard(!isBegunTwice, `reservation ${number} has an open payment`);
    if (!isLive(status)) {
      this.#free(reservation.seats, number);
      reservation.endedAtMs = event.atMs;
      this.#forgetPaymentMark(reservation);
    }
    switch (payment?.kind) {
      case 'begins':
        reservation.paymentSeq = event.seq;
        reservation.openPayment = {
          method: payment.method,
          holdLeftMs: payment.holdLeftMs,
          idempotency: payment.idempotency,
        };
        break;
      case 'made':
        this.#closePayment(reservation);
        reservation.paidAtMs = event.atMs;
        break;
      case 'failed':
        this.#closePayment(reservation);
        reservation.paymentSeq = 0;
    }
    reservation.status = status;
    reservation.expiresAtMs = expiresAtMs ?? reservation.expiresAtMs;
    reservation.seq = event.seq;
    this.#remember(event, number, reservation.userId, mark);
  }

  #endPayment(event: ScheduleEvent, { number }: EndPaymentChange): void {
    const reservation = this.reservations.get(number);
    guard(reservation !== undefined, `reservation ${number} does not exist`);
    guard(!isLive(reservation.status), `reservation ${number} is live`);
    this.#closePayment(reservation);
    reservation.paymentSeq = 0;
    reservation.seq = event.seq;
  }

  #closePayment(reservation: MemoryReservation): void {
    guard(reservation.openPayment !== undefined, `reservation ${reservation.number} has no open payment`);
    reservation.openPayment = undefined;
    this.#forgetPaymentMark(reservation);
  }

  /** The mark that keeps a key while its payment is under way. */
  #forgetPaymentMark({ paymentSeq }: MemoryReservation): void {
    const index = this.marks.findIndex(({ seq }) => seq === paymentSeq);
    if (index !== -1) this.marks.splice(index, 1);
  }

  /** Time never goes back within a schedule, so the old ones are in front. */
  #forgetOldMarks(): void {
    const kept = this.marks.findIndex(({ atMs }) => atMs >= this.lastAtMs - markRetentionMs);
    if (kept !== 0) this.marks.splice(0, kept === -1 ? this.marks.length : kept);
  }

  hasOpenReservation(): boolean {
    return this.reservations
      .values()
      .some(({ status, openPayment }) => expires(status) || openPayment !== undefined);
  }

  #take(seats: readonly number[], holder: number): void {
    for (const seat of seats) guard(!this.holders.has(seat), `seat ${seat} is taken`);
    for (const seat of seats) this.holders.set(seat, holder);
  }

  #free(seats: readonly number[], holder: number): void {
    for (const seat of seats)
      guard(this.holders.get(seat) === holder, `seat ${seat} is not held by ${holder}`);
    for (const seat of seats) this.holders.delete(seat);
  }

  #remember(
    { seq, atMs }: ScheduleEvent,
    number: ReservationNumber,
    userId: UserId,
    mark: MarkChange | undefined,
  ): void {
    if (mark !== undefined) this.marks.push({ seq, atMs, userId, number, ...mark });
  }
}
