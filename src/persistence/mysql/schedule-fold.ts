import type { ScheduleEvent } from '../../actors/allocator/event.ts';
import type { IdempotencyKey, ReservationNumber, ScheduleId, UserId } from '../../actors/allocator/ids.ts';
import { paymentMethods } from '../../actors/allocator/payment.ts';
import { expires, isLive, reservationStatuses } from '../../actors/allocator/reservation.ts';
import {
  blockedHolder,
  type EndPaymentChange,
  type MarkChange,
  type MoveChange,
  type OpenChange,
  type PaymentChange,
  projectionChange,
} from '../projection-change.ts';
import { guard } from '../projection-guard.ts';

/** A row of schedule_projection. */
export interface ProjectionState {
  projectedSeq: number;
  lastAtMs: number;
  lastReservationNumber: number;
  /** Seats of live reservations and blocked ones. */
  takenSeats: number;
  /** Reservations that are HELD or PAYING, or whose payment is not over. */
  openReservations: number;
}

/** A row of reservation. */
export interface FoldedReservation {
  readonly number: ReservationNumber;
  readonly userId: UserId;
  readonly seats: readonly number[];
  readonly totalMinor: number;
  readonly heldAtMs: number;
  /** Index in reservationStatuses. */
  status: number;
  expiresAtMs: number;
  endedAtMs: number;
  seq: number;
  paymentSeq: number;
  paidAtMs: number;
}

export interface FoldedMark {
  readonly seq: number;
  readonly atMs: number;
  readonly userId: UserId;
  readonly key: IdempotencyKey;
  readonly fingerprint: number;
  readonly number: number;
  readonly kind: number;
  readonly expiresAtMs: number;
}

export interface FoldedPayment {
  readonly number: ReservationNumber;
  /** Index in paymentMethods. */
  readonly method: number;
  readonly holdLeftMs: number;
  readonly key: IdempotencyKey | null;
  readonly fingerprint: number | null;
}

/**
 * A run of one schedule's events, folded in memory into what they leave in the tables: each row is written once,
 * however many events touch it, and a reservation that came and went within the run is written as it ended.
 *
 * Folding must not hide what row by row would have failed (I1, I6): every event passes the guards of
 * projection-guard.ts in its order, with the holders of the seats as far as this run knows them; what it can't
 * know, the tables' own keys and the counts of changed rows refuse.
 */
export class ScheduleFold {
  readonly scheduleId: ScheduleId;
  readonly state: ProjectionState;
  /** Stored ones that the run needs, and new ones. */
  readonly #reservations: Map<ReservationNumber, FoldedReservation>;
  readonly #created = new Set<ReservationNumber>();
  readonly #changed = new Set<ReservationNumber>();
  /** Of seats that the run has touched: who holds it now; undefined = nobody. */
  readonly #holders = new Map<number, number | undefined>();
  readonly #freedReservations = new Set<ReservationNumber>();
  readonly #unblockedSeats = new Set<number>();
  readonly #blockedSeats = new Set<number>();
  readonly #marks = new Map<number, FoldedMark>();
  readonly #forgottenMarks = new Set<number>();
  readonly #payments = new Map<ReservationNumber, FoldedPayment>();
  readonly #closedPayments = new Set<ReservationNumber>();

  /** @param reservations those that the events name and that are stored. */
  constructor(scheduleId: ScheduleId, state: ProjectionState, reservations: readonly FoldedReservation[]) {
    this.scheduleId = scheduleId;
    this.state = state;
    this.#reservations = new Map(reservations.map((reservation) => [reservation.number, reservation]));
  }

  /** Throws ProjectionGuardTripped; the fold is of no use afterwards. */
  apply(event: ScheduleEvent): void {
    const { state } = this;
    guard(event.seq === state.projectedSeq + 1, `seq ${event.seq} follows ${state.projectedSeq}`);
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
        this.#block(change.seats);
        break;
      case 'unblock':
        this.#unblock(change.seats);
        break;
    }
    state.projectedSeq = event.seq;
    state.lastAtMs = event.atMs;
  }

  /** What is to be written, each row once. */
  changes(): ScheduleChanges {
    const created = this.#pick(this.#created);
    return {
      created,
      changed: this.#pick(this.#changed).filter(({ number }) => !this.#created.has(number)),
      freed: this.#pick(this.#freedReservations).filter(({ number }) => !this.#created.has(number)),
      unblockedSeats: [...this.#unblockedSeats],
      blockedSeats: [...this.#blockedSeats],
      marks: [...this.#marks.values()],
      forgottenMarks: [...this.#forgottenMarks],
      payments: [...this.#payments.values()],
      closedPayments: [...this.#closedPayments],
    };
  }

  #pick(numbers: ReadonlySet<ReservationNumber>): FoldedReservation[] {
    return Array.from(numbers, (number) => this.#reservations.get(number)!);
  }

  #open(event: ScheduleEvent, { number, userId, seats, totalMinor, expiresAtMs, mark }: OpenChange): void {
    guard(number > this.state.lastReservationNumber, `reservation ${number} exists already`);
    this.#take(seats, number);
    this.#reservations.set(number, {
      number,
      userId,
      seats,
      totalMinor,
      heldAtMs: event.atMs,
      status: held,
      expiresAtMs,
      endedAtMs: 0,
      seq: event.seq,
      paymentSeq: 0,
      paidAtMs: 0,
    });
    this.#created.add(number);
    this.state.openReservations += 1;
    this.state.lastReservationNumber = number;
    if (mark !== undefined) this.#remember(event, number, userId, mark);
  }

  #move(event: ScheduleEvent, change: MoveChange): void {
    const { number, status, payment, mark } = change;
    const reservation = this.#find(number);
    const before = reservationStatuses[reservation.status]!;
    guard(isLive(before), `reservation ${number} has ended already`);
    const live = isLive(status);
    const { paymentSeq } = reservation;
    reservation.status = reservationStatuses.indexOf(status);
    reservation.expiresAtMs = change.expiresAtMs ?? reservation.expiresAtMs;
    reservation.endedAtMs = live ? 0 : event.atMs;
    reservation.seq = event.seq;
    if (payment?.kind === 'begins') {
      reservation.paymentSeq = event.seq;
      this.#beginPayment(number, payment);
    } else if (payment !== undefined) {
      if (payment.kind === 'made') reservation.paidAtMs = event.atMs;
      else reservation.paymentSeq = 0;
      this.#closePayment(number, paymentSeq);
    }
    if (!live) {
      this.#free(reservation.seats, number);
      this.#freedReservations.add(number);
      if (before === 'PAYING') this.#forget(paymentSeq);
    }
    // What expires while it is paid for stays open until its payment is over.
    const staysOpen = expires(status) || (before === 'PAYING' && !live);
    this.state.openReservations += Number(staysOpen) - Number(expires(before));
    this.#changed.add(number);
    if (mark !== undefined) this.#remember(event, number, reservation.userId, mark);
  }

  #endPayment(event: ScheduleEvent, { number }: EndPaymentChange): void {
    const reservation = this.#find(number);
    guard(reservation.endedAtMs > 0, `reservation ${number} is live`);
    this.#closePayment(number, reservation.paymentSeq);
    reservation.seq = event.seq;
    reservation.paymentSeq = 0;
    this.#changed.add(number);
    this.state.openReservations -= 1;
  }

  #find(number: ReservationNumber): FoldedReservation {
    const reservation = this.#reservations.get(number);
    guard(reservation !== undefined, `reservation ${number} does not exist`);
    return reservation;
  }

  #beginPayment(
    number: ReservationNumber,
    { method, holdLeftMs, idempotency }: Extract<PaymentChange, { kind: 'begins' }>,
  ): void {
    guard(!this.#payments.has(number), `reservation ${number} has an open payment already`);
    this.#payments.set(number, {
      number,
      method: paymentMethods.indexOf(method),
      holdLeftMs,
      key: idempotency?.key ?? null,
      fingerprint: idempotency?.fingerprint ?? null,
    });
  }

  /** With the mark that kept its key while it was under way. */
  #closePayment(number: ReservationNumber, paymentSeq: number): void {
    guard(paymentSeq > 0, `reservation ${number} has no payment`);
    if (!this.#payments.delete(number)) {
      guard(!this.#closedPayments.has(number), `reservation ${number} has no open payment`);
      this.#closedPayments.add(number);
    }
    this.#forget(paymentSeq);
  }

  #block(seats: readonly number[]): void {
    this.#take(seats, blockedHolder);
    for (const seat of seats) this.#blockedSeats.add(seat);
  }

  #unblock(seats: readonly number[]): void {
    this.#free(seats, blockedHolder);
    for (const seat of seats) if (!this.#blockedSeats.delete(seat)) this.#unblockedSeats.add(seat);
  }

  #take(seats: readonly number[], holder: number): void {
    for (const seat of seats) {
      guard(this.#holders.get(seat) === undefined, `seat ${seat} is taken already`);
      this.#holders.set(seat, holder);
    }
    this.state.takenSeats += seats.length;
  }

  #free(seats: readonly number[], holder: number): void {
    for (const seat of seats) {
      const isHolders = !this.#holders.has(seat) || this.#holders.get(seat) === holder;
      guard(isHolders, `seat ${seat} is not held by ${holder}`);
      this.#holders.set(seat, undefined);
    }
    this.state.takenSeats -= seats.length;
  }

  #remember(
    { seq, atMs }: ScheduleEvent,
    number: ReservationNumber,
    userId: UserId,
    { key, fingerprint, kind, expiresAtMs }: MarkChange,
  ): void {
    this.#marks.set(seq, { seq, atMs, userId, key, fingerprint, number, kind, expiresAtMs });
  }

  #forget(seq: number): void {
    if (!this.#marks.delete(seq)) this.#forgottenMarks.add(seq);
  }
}

export interface ScheduleChanges {
  readonly created: readonly FoldedReservation[];
  /** Stored before. */
  readonly changed: readonly FoldedReservation[];
  /** Stored before, and ended in this run: their seats are free. */
  readonly freed: readonly FoldedReservation[];
  readonly unblockedSeats: readonly number[];
  readonly blockedSeats: readonly number[];
  readonly marks: readonly FoldedMark[];
  /** By seq; there may be none. */
  readonly forgottenMarks: readonly number[];
  readonly payments: readonly FoldedPayment[];
  readonly closedPayments: readonly ReservationNumber[];
}

const held = reservationStatuses.indexOf('HELD');
