import type { ScheduleId } from '../../actors/allocator/ids.ts';
import type { MySqlSession } from '../../mysql/session.ts';
import {
  type MarkRow,
  markColumns,
  type OpenPaymentRow,
  type ReservationRow,
  reservationColumns,
  type StoredScheduleColumns,
  type TailRow,
  tailColumns,
  toOpenPayment,
} from '../image-columns.ts';
import type { JournalColumns } from '../journal-columns.ts';
import { blockedHolder } from '../projection-change.ts';

/** Reads a schedule for recovery: image and tail come from one snapshot. */
export async function readRecoveryImage(
  session: MySqlSession,
  scheduleId: ScheduleId,
  endedSinceMs: number,
  markedSinceMs: number,
): Promise<StoredScheduleColumns> {
  await session.change('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ');
  await session.change('START TRANSACTION WITH CONSISTENT SNAPSHOT');
  try {
    const [state] = await session.rows<[number, number, number]>(imageSql.state, [scheduleId]);
    const [projectedSeq, lastAtMs, lastReservationNumber] = state ?? [0, 0, 0];
    const reservations = await session.rows<ReservationRow>(imageSql.reservations, [
      scheduleId,
      endedSinceMs,
    ]);
    const openPayments = await session.rows<OpenPaymentRow>(imageSql.openPayments, [scheduleId]);
    const marks = await session.rows<MarkRow>(imageSql.marks, [scheduleId, markedSinceMs]);
    const blocked = await session.rows<[seat: number]>(imageSql.blocked, [scheduleId]);
    const tail = await readTail(session, scheduleId, projectedSeq);
    return {
      image: {
        projectedSeq,
        lastAtMs,
        lastReservationNumber,
        blockedSeats: Int32Array.from(blocked, ([seat]) => seat),
        reservations: reservationColumns(reservations),
        openPayments: openPayments.map(toOpenPayment),
        marks: markColumns(marks),
      },
      tail,
    };
  } finally {
    await session.rollback();
  }
}

export async function readTail(
  session: MySqlSession,
  scheduleId: ScheduleId,
  afterSeq: number,
): Promise<JournalColumns> {
  return tailColumns(scheduleId, await session.rows<TailRow>(imageSql.tail, [scheduleId, afterSeq]));
}

const imageSql = {
  state:
    'SELECT projected_seq, last_at_ms, last_reservation_number FROM schedule_projection WHERE schedule_id = ?',
  reservations: `SELECT number, user_id, status, seats, total_minor, held_at_ms, expires_at_ms, ended_at_ms, seq,
      payment_seq, paid_at_ms
    FROM reservation
    WHERE schedule_id = ? AND (ended_at_ms = 0 OR ended_at_ms >= ? OR payment_seq > 0) ORDER BY number`,
  openPayments: `SELECT number, method, hold_left_ms, idempotency_key, fingerprint FROM open_payment
    WHERE schedule_id = ? ORDER BY number`,
  marks: `SELECT seq, at_ms, user_id, idempotency_key, fingerprint, number, kind, expires_at_ms
    FROM mark WHERE schedule_id = ? AND at_ms >= ? ORDER BY seq`,
  blocked: `SELECT seat_id FROM seat_reservation
    WHERE schedule_id = ? AND reservation_number = ${blockedHolder} ORDER BY seat_id`,
  tail: `SELECT seq, shard_id, at_ms, type, payload FROM event_log
    WHERE schedule_id = ? AND seq > ? ORDER BY seq`,
} as const;
