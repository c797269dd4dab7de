import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { ScheduleEvent } from '../../actors/allocator/event.ts';
import type { ReservationNumber, ScheduleId, UserId } from '../../actors/allocator/ids.ts';
import { isLive, type ReservationStatus, reservationStatuses } from '../../actors/allocator/reservation.ts';
import {
  blockedHolder,
  type MarkChange,
  type MoveChange,
  markRetentionMs,
  type OpenChange,
  projectionChange,
} from '../projection-change.ts';
import { guard } from '../projection-guard.ts';
import { seatsFromText, seatsToText } from './seats-text.ts';
import { queryRow } from './typed-rows.ts';

/** How far a schedule is projected, and its counters: a row of schedule_projection. */
interface ProjectionState {
  projectedSeq: number;
  lastAtMs: number;
  lastReservationNumber: number;
  /** Seats of live reservations and blocked ones. */
  takenSeats: number;
  /** Reservations that are HELD or PAYING. */
  openReservations: number;
}

type MovedRow = [status: number, seats: string, userId: UserId, expiresAtMs: number];

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
      'SELECT status, seats, user_id, expires_at_ms FROM reservation WHERE schedule_id = ? AND number = ?',
      { returnArrays: true },
    );
    this.#updateReservation = db.prepare(
      `UPDATE reservation SET status = ?, expires_at_ms = ?, ended_at_ms = ?, seq = ?
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
    const { number, status, mark } = change;
    const row = queryRow<MovedRow>(this.#readReservation, scheduleId, number);
    guard(row !== undefined, `reservation ${number} does not exist`);
    const [statusIndex, seats, userId, expiresAtMs] = row;
    const before = reservationStatuses[statusIndex]!;
    guard(isLive(before), `reservation ${number} has ended already`);
    const live = isLive(status);
    this.#updateReservation.run(
      reservationStatuses.indexOf(status),
      change.expiresAtMs ?? expiresAtMs,
      live ? 0 : event.atMs,
      event.seq,
      scheduleId,
      number,
    );
    if (!live) this.#freeSeats(scheduleId, state, seatsFromText(seats), number);
    state.openReservations += Number(isOpen(status)) - Number(isOpen(before));
    if (mark !== undefined) this.#remember(scheduleId, event, number, userId, mark);
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

const isOpen = (status: ReservationStatus): boolean => status === 'HELD' || status === 'PAYING';
