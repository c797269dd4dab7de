import type { ReservationNumber, ScheduleId } from '../../actors/allocator/ids.ts';
import { reservationStatuses } from '../../actors/allocator/reservation.ts';
import type { ReservationPage, ReservationQuery, StoredReservation } from '../../actors/runtime/ports.ts';
import type { MySqlSession } from '../../mysql/session.ts';
import {
  reservationRowColumns as columns,
  type StoredReservationRow as Row,
  toReservation,
} from '../reservation-row.ts';

const findSql = `SELECT ${columns} FROM reservation WHERE schedule_id = ? AND number = ?`;
const projectedSeqSql = 'SELECT projected_seq FROM schedule_projection WHERE schedule_id = ?';

export async function listReservations(
  session: MySqlSession,
  query: ReservationQuery,
): Promise<ReservationPage> {
  // Before the list: it may say less than the list shows, and never more.
  const asOfSeq =
    query.scheduleId === undefined ? undefined : await projectedSeqOf(session, query.scheduleId);
  const { sql, values } = listSql(query);
  const rows = await session.rows<Row>(sql, values);
  return {
    reservations: rows.slice(0, query.limit).map(toReservation),
    hasMore: rows.length > query.limit,
    ...(asOfSeq !== undefined && { asOfSeq }),
  };
}

export async function findReservation(
  session: MySqlSession,
  scheduleId: ScheduleId,
  number: ReservationNumber,
): Promise<StoredReservation | undefined> {
  const [row] = await session.rows<Row>(findSql, [scheduleId, number]);
  return row && toReservation(row);
}

async function projectedSeqOf(session: MySqlSession, scheduleId: ScheduleId): Promise<number> {
  const [row] = await session.rows<[number]>(projectedSeqSql, [scheduleId]);
  return row?.[0] ?? 0;
}

/**
 * One more row than the page holds, to know whether there are more: a walk along one index, whose order is the
 * page's. The first condition on held_at_ms says nothing that the row comparison doesn't, but the optimizer makes
 * a range of it and none of the comparison.
 */
function listSql(query: ReservationQuery): { sql: string; values: (string | number)[] } {
  const conditions = ['user_id = ?'];
  const values: (string | number)[] = [query.userId];
  if (query.status !== undefined) {
    conditions.push('status = ?');
    values.push(reservationStatuses.indexOf(query.status));
  }
  if (query.scheduleId !== undefined) {
    conditions.push('schedule_id = ?');
    values.push(query.scheduleId);
  }
  if (query.after !== undefined) {
    const { heldAtMs, scheduleId, number } = query.after;
    conditions.push('held_at_ms <= ? AND (held_at_ms, schedule_id, number) < (?, ?, ?)');
    values.push(heldAtMs, heldAtMs, scheduleId, number);
  }
  values.push(query.limit + 1);
  const sql = `SELECT ${columns} FROM reservation FORCE INDEX (by_user_newest_first)
    WHERE ${conditions.join(' AND ')}
    ORDER BY held_at_ms DESC, schedule_id DESC, number DESC LIMIT ?`;
  return { sql, values };
}
