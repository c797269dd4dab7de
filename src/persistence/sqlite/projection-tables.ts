import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { ScheduleEvent } from '../../actors/allocator/event.ts';
import type { ReservationNumber, ScheduleId, UserId } from '../../actors/allocator/ids.ts';
import { paymentMethods } from '../../actors/allocator/payment.ts';
import { expires, isLive, reservationStatuses } from '../../actors/allocator/reservation.ts';
import { queryRow } from '../../sqlite/typed-rows.ts';
import {
  blockedHolder,
  type EndPaymentChange,
  type MarkChange,
  type MoveChange,
  markRetentionMs,
  type OpenChange,
  type PaymentChange,
  projectionChange,
} from '../projection-change.ts';
import { guard } from '../projection-guard.ts';
import { seatsFromText, seatsToText } from '../seats-text.ts';

/** How far a schedule is projected, and its counters: a row of schedule_projection. */
interface ProjectionState {
  projectedSeq: number;
  lastAtMs: number;
  lastReservationNumber: number;
  /** Seats of live reservations and blocked ones. */
  takenSeats: number;
  /** Reservations that are HELD or PAYING, or whose payment is not over. */
  openReservations: number;
}

type MovedRow = [
  status: number,
  seats: string,
  userId: UserId,
  expiresAtMs: number,
  endedAtMs: number,
  paymentSeq: number,
  paidAtMs: number,
];

/**
 * Carries projection changes out on the tables, inside the caller's transaction. Keeps I1 by the primary key
 * of seat_reservation, and I6 by refusing a gap; a change that cannot be throws, and the caller rolls back.
 */
export class ProjectionTables {
  readonly #readState: StatementSync;
  readonly #writeState: StatementSync;
  readonly #insertReservation: StatementSync;
  readonly #readReservation: StatementSync;
  readonly #updateReservation: StatementSync;
  readonly #takeSeat: StatementSync;
  readonly #freeSeat: StatementSync;
  readonly #insertMark: StatementSync;
  readonly #oldestMark: StatementSync;
  readonly #forgetMarks: StatementSync;
  readonly #forgetMark: StatementSync;
  readonly #insertOpenPayment: StatementSync;
  readonly #deleteOpenPayment: StatementSync;

  constructor(db: DatabaseSync) {
    this.#readState = db.prepare(
      `SELECT projected_seq, last_at_ms, last_reservation_number, taken_seats, open_reservations
       FROM schedule_projection WHERE schedule_id = ?`,
      { returnArrays: true },
    );
    this.#writeState = db.prepare(
      `INSERT INTO schedule_projection (schedule_id, projected_seq, last_at_ms, last_reservation_number,
         taken_seats, open_reservations)
       VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (schedule_id) DO UPDATE SET projected_seq = excluded.projected_seq,
         last_at_ms = excluded.last_at_ms, last_reservation_number = excluded.last_reservation_number,
         taken_seats = excluded.taken_seats, open_reservations = excluded.open_reservations`,
    );
    this.#insertReservation = db.prepare(
      `INSERT INTO reservation (schedule_id, number, user_id, status, seats, total_minor, held_at_ms,
         expires_at_ms, ended_at_ms, seq)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, ?)`,
    );
    this.#readReservation = db.prepare(
      `SELECT status, seats, user_id, expires_at_ms, ended_at_ms, payment_seq, paid_at_ms
       FROM reservation WHERE schedule_id = ? AND number = ?`,
      { returnArrays: true },
    );
    this.#updateReservation = db.prepare(
      `UPDATE reservation SET status = ?, expires_at_ms = ?, ended_at_ms = ?, seq = ?, payment_seq = ?,
         paid_at_ms = ?
       WHERE schedule_id = ? AND number = ?`,
    );
    this.#takeSeat = db.prepare('INSERT INTO seat_reservation (schedule_id, seat, number) VALUES (?, ?, ?)');
    this.#freeSeat = db.prepare(
      'DELETE FROM seat_reservation WHERE schedule_id = ? AND seat = ? AND number = ?',
    );
    this.#insertMark = db.prepare(
      `INSERT INTO mark (schedule_id, seq, at_ms, user_id, key, fingerprint, number, kind, expires_at_ms)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#oldestMark = db.prepare('SELECT at_ms FROM mark WHERE schedule_id = ? ORDER BY seq LIMIT 1', {
      returnArrays: true,
    });
    this.#forgetMarks = db.prepare(
      `DELETE FROM mark WHERE schedule_id = ?1 AND seq <= (
         SELECT max(seq) FROM (SELECT seq, at_ms FROM mark WHERE schedule_id = ?1 ORDER BY seq LIMIT ?3)
         WHERE at_ms < ?2)`,
    );
    this.#forgetMark = db.prepare('DELETE FROM mark WHERE schedule_id = ? AND seq = ?');
    this.#insertOpenPayment = db.prepare(
      `INSERT INTO open_payment (schedule_id, number, method, hold_left_ms, key, fingerprint)
       VALUES (?, ?, ?, ?, ?, ?)`,
    );
    this.#deleteOpenPayment = db.prepare('DELETE FROM open_payment WHERE schedule_id = ? AND number = ?');
  }

  readState(scheduleId: ScheduleId): ProjectionState {
    const row = queryRow<[number, number, number, number, number]>(this.#readState, scheduleId);
    const [projectedSeq, lastAtMs, lastReservationNumber, takenSeats, openReservations] = row ?? [
      0, 0, 0, 0, 0,
    ];
    return { projectedSeq, lastAtMs, lastReservationNumber, takenSeats, openReservations };
  }

  writeState(scheduleId: ScheduleId, state: ProjectionState): void {
    this.#writeState.run(
      scheduleId,
      state.projectedSeq,
      state.lastAtMs,
      state.lastReservationNumber,
      state.takenSeats,
      state.openReservations,
    );
  }

  /** Applies the event to the rows and to `state`, which the caller writes when the chunk is done. */
  apply(scheduleId: ScheduleId, state: ProjectionState, event: ScheduleEvent): void {
    const { seq, atMs } = event;
    guard(seq === state.projectedSeq + 1, `seq ${seq} follows ${state.projectedSeq}`);
    const change = projectionChange(event);
    switch (change.kind) {
      case 'open':
        this.#open(scheduleId, state, event, change);
        break;
      case 'move':
        this.#move(scheduleId, state, event, change);
        break;
      case 'end-payment':
        this.#endPayment(scheduleId, state, event, change);
        break;
      case 'block':
        this.#takeSeats(scheduleId, state, change.seats, blockedHolder);
        break;
      case 'unblock':
        this.#freeSeats(scheduleId, state, change.seats, blockedHolder);
        break;
    }
    state.projectedSeq = seq;
    state.lastAtMs = atMs;
  }

  #open(scheduleId: ScheduleId, state: ProjectionState, event: ScheduleEvent, change: OpenChange): void {
    const { number, userId, seats, totalMinor, expiresAtMs, mark } = change;
    const { seq, atMs } = event;
    const seatsText = seatsToText(seats);
    this.#insertReservation.run(
      scheduleId,
      number,
      userId,
      held,
      seatsText,
      totalMinor,
      atMs,
      expiresAtMs,
      seq,
    );
    this.#takeSeats(scheduleId, state, seats, number);
    state.openReservations += 1;
    state.lastReservationNumber = Math.max(state.lastReservationNumber, number);
    if (mark !== undefined) this.#remember(scheduleId, event, number, userId, mark);
  }

  #move(scheduleId: ScheduleId, state: ProjectionState, event: ScheduleEvent, change: MoveChange): void {
    const { number, status, payment, mark } = change;
    const row = this.#read(scheduleId, number);
    const [statusIndex, seats, userId, expiresAtMs, , paymentSeq, paidAtMs] = row;
    const before = reservationStatuses[statusIndex]!;
    guard(isLive(before), `reservation ${number} has ended already`);
    const live = isLive(status);
    this.#updateReservation.run(
      reservationStatuses.indexOf(status),
      change.expiresAtMs ?? expiresAtMs,
      live ? 0 : event.atMs,
      event.seq,
      paymentSeqAfter(payment, paymentSeq, event.seq),
      payment?.kind === 'made' ? event.atMs : paidAtMs,
      scheduleId,
      number,
    );
    if (payment?.kind === 'begins') this.#insertPayment(scheduleId, number, payment);
    else if (payment !== undefined) this.#closePayment(scheduleId, number, paymentSeq);
    if (!live) {
      this.#freeSeats(scheduleId, state, seatsFromText(seats), number);
      if (before === 'PAYING') this.#forgetMark.run(scheduleId, paymentSeq);
    }
    // What expires while it is paid for stays open until its payment is over.
    const staysOpen = expires(status) || (before === 'PAYING' && !live);
    state.openReservations += Number(staysOpen) - Number(expires(before));
    if (mark !== undefined) this.#remember(scheduleId, event, number, userId, mark);
  }

  #endPayment(
    scheduleId: ScheduleId,
    state: ProjectionState,
    event: ScheduleEvent,
    { number }: EndPaymentChange,
  ): void {
    const [status, , , expiresAtMs, endedAtMs, paymentSeq, paidAtMs] = this.#read(scheduleId, number);
    guard(endedAtMs > 0, `reservation ${number} is live`);
    this.#updateReservation.run(status, expiresAtMs, endedAtMs, event.seq, 0, paidAtMs, scheduleId, number);
    this.#closePayment(scheduleId, number, paymentSeq);
    state.openReservations -= 1;
  }

  #read(scheduleId: ScheduleId, number: ReservationNumber): MovedRow {
    const row = queryRow<MovedRow>(this.#readReservation, scheduleId, number);
    guard(row !== undefined, `reservation ${number} does not exist`);
    return row;
  }

  #insertPayment(
    scheduleId: ScheduleId,
    number: ReservationNumber,
    { method, holdLeftMs, idempotency }: Extract<PaymentChange, { kind: 'begins' }>,
  ): void {
    const { key = null, fingerprint = null } = idempotency ?? {};
    this.#insertOpenPayment.run(
      scheduleId,
      number,
      paymentMethods.indexOf(method),
      holdLeftMs,
      key,
      fingerprint,
    );
  }

  /** With the mark that kept its key while it was under way. */
  #closePayment(scheduleId: ScheduleId, number: ReservationNumber, paymentSeq: number): void {
    const { changes } = this.#deleteOpenPayment.run(scheduleId, number);
    guard(changes === 1, `reservation ${number} has no open payment`);
    this.#forgetMark.run(scheduleId, paymentSeq);
  }

  #takeSeats(scheduleId: ScheduleId, state: ProjectionState, seats: readonly number[], holder: number): void {
    for (const seat of seats) this.#takeSeat.run(scheduleId, seat, holder);
    state.takenSeats += seats.length;
  }

  #freeSeats(scheduleId: ScheduleId, state: ProjectionState, seats: readonly number[], holder: number): void {
    for (const seat of seats) {
      const { changes } = this.#freeSeat.run(scheduleId, seat, holder);
      guard(changes === 1, `seat ${seat} is not held by ${holder}`);
    }
    state.takenSeats -= seats.length;
  }

  #remember(
    scheduleId: ScheduleId,
    { seq, atMs }: ScheduleEvent,
    number: ReservationNumber,
    userId: UserId,
    { key, fingerprint, kind, expiresAtMs }: MarkChange,
  ): void {
    this.#insertMark.run(scheduleId, seq, atMs, userId, key, fingerprint, number, kind, expiresAtMs);
  }

  /**
   * Drops marks that nobody may ask for again (I8), at most `marksMax`, oldest first: time never goes back
   * within a schedule, so the old ones lie together at the front of its range. One look-up when there are none.
   */
  forgetOldMarks(scheduleId: ScheduleId, state: ProjectionState, marksMax: number): void {
    const cutoffMs = state.lastAtMs - markRetentionMs;
    const oldest = queryRow<[atMs: number]>(this.#oldestMark, scheduleId);
    if (oldest === undefined || oldest[0] >= cutoffMs) return;
    this.#forgetMarks.run(scheduleId, cutoffMs, marksMax);
  }
}

const held = reservationStatuses.indexOf('HELD');

/** Which payment a reservation has after the change; `seq` of the event that makes it. */
function paymentSeqAfter(payment: PaymentChange | undefined, before: number, seq: number): number {
  if (payment === undefined || payment.kind === 'made') return before;
  return payment.kind === 'begins' ? seq : 0;
}
