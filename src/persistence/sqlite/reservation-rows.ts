import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import type { ReservationNumber, ScheduleId } from '../../actors/allocator/ids.ts';
import { reservationStatuses } from '../../actors/allocator/reservation.ts';
import type { ReservationPage, ReservationQuery, StoredReservation } from '../../actors/runtime/ports.ts';
import { queryRow, queryRows } from '../../sqlite/typed-rows.ts';
import {
  reservationRowColumns as columns,
  type StoredReservationRow as Row,
  toReservation,
} from '../reservation-row.ts';

/** ReservationQueries on the projection: each a walk along one index, whose order is the page's order. */
export class ReservationRows {
  readonly #db: DatabaseSync;
  readonly #listStatements = new Map<string, StatementSync>();
  readonly #find: StatementSync;
  readonly #projectedSeq: StatementSync;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#find = db.prepare(`SELECT ${columns} FROM reservation WHERE schedule_id = ? AND number = ?`, {
      returnArrays: true,
    });
    this.#projectedSeq = db.prepare('SELECT projected_seq FROM schedule_projection WHERE schedule_id = ?', {
      returnArrays: true,
    });
  }

  listReservations(query: ReservationQuery): ReservationPage {
    const { sql, parameters } = listSql(query);
    let statement = this.#listStatements.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql, { returnArrays: true });
      this.#listStatements.set(sql, statement);
    }
    const rows = queryRows<Row>(statement, ...parameters);
    return {
      reservations: rows.slice(0, query.limit).map(toReservation),
      hasMore: rows.length > query.limit,
      ...(query.scheduleId !== undefined && { asOfSeq: this.#projectedSeqOf(query.scheduleId) }),
    };
  }

  findReservation(scheduleId: ScheduleId, number: ReservationNumber): StoredReservation | undefined {
    const row = queryRow<Row>(this.#find, scheduleId, number);
    return row && toReservation(row);
  }

  #projectedSeqOf(scheduleId: ScheduleId): number {
    return queryRow<[number]>(this.#projectedSeq, scheduleId)?.[0] ?? 0;
  }
}

/** One more row than the page holds, to know whether there are more. At most eight different texts. */
export function listSql(query: ReservationQuery): { sql: string; parameters: SQLInputValue[] } {
  const conditions = ['user_id = ?'];
  const parameters: SQLInputValue[] = [query.userId];
  if (query.status !== undefined) {
    conditions.push('status = ?');
    parameters.push(reservationStatuses.indexOf(query.status));
  }
  if (query.scheduleId !== undefined) {
    // The plus hides from the planner that schedule_id is constant here: it would take the order for another one.
    conditions.push('+schedule_id = ?');
    parameters.push(query.scheduleId);
  }
  if (query.after !== undefined) {
    conditions.push('(held_at_ms, schedule_id, number) < (?, ?, ?)');
    parameters.push(query.after.heldAtMs, query.after.scheduleId, query.after.number);
  }
  parameters.push(query.limit + 1);
  const sql = `SELECT ${columns} FROM reservation INDEXED BY reservation_by_user
    WHERE ${conditions.join(' AND ')}
    ORDER BY held_at_ms DESC, schedule_id DESC, number DESC LIMIT ?`;
  return { sql, parameters };
}
