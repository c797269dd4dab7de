import type { ReservationNumber, ScheduleId, UserId } from '../../actors/allocator/ids.ts';
import type { Changed, MySqlSession } from '../../mysql/session.ts';
import { type SqlValue, sqlList, sqlRows } from '../../mysql/sql-values.ts';
import { blockedHolder, markRetentionMs } from '../projection-change.ts';
import { guard } from '../projection-guard.ts';
import { seatsFromText, seatsToText } from '../seats-text.ts';
import type { FoldedReservation, ProjectionState, ScheduleChanges, ScheduleFold } from './schedule-fold.ts';

type StateRow = [
  scheduleId: ScheduleId,
  projectedSeq: number,
  lastAtMs: number,
  lastReservationNumber: number,
  takenSeats: number,
  openReservations: number,
];

type ReservationRow = [
  number: ReservationNumber,
  userId: UserId,
  seats: string,
  totalMinor: number,
  heldAtMs: number,
  status: number,
  expiresAtMs: number,
  endedAtMs: number,
  seq: number,
  paymentSeq: number,
  paidAtMs: number,
];

/**
 * The states of schedules, their rows locked in the order of their ids until the transaction ends. The index is
 * forced: a scan would lock, and so wait for, every row that it passes, which are other nodes'.
 */
export async function lockStates(
  session: MySqlSession,
  scheduleIds: readonly ScheduleId[],
): Promise<Map<ScheduleId, ProjectionState>> {
  const ids = [...scheduleIds].sort((a, b) => a - b);
  const select = `SELECT ${stateColumns} FROM schedule_projection FORCE INDEX (PRIMARY)
    WHERE schedule_id IN ${sqlList(ids)} ORDER BY schedule_id FOR UPDATE`;
  let rows = await session.rows<StateRow>(select);
  if (rows.length < ids.length) {
    const found = new Set(rows.map(([scheduleId]) => scheduleId));
    const missing = ids.filter((id) => !found.has(id)).map((id) => [id, 0, 0, 0, 0, 0]);
    const insert = `INSERT IGNORE INTO schedule_projection (${stateColumns}) VALUES ${sqlRows(missing)}`;
    await session.raw('INSERT IGNORE INTO schedule_projection …', insert);
    rows = await session.rows<StateRow>(select);
  }
  return new Map(
    rows.map(([scheduleId, projectedSeq, lastAtMs, lastReservationNumber, takenSeats, openReservations]) => [
      scheduleId,
      { projectedSeq, lastAtMs, lastReservationNumber, takenSeats, openReservations },
    ]),
  );
}

const stateColumns =
  'schedule_id, projected_seq, last_at_ms, last_reservation_number, taken_seats, open_reservations';

export async function readReservations(
  session: MySqlSession,
  scheduleId: ScheduleId,
  numbers: readonly ReservationNumber[],
): Promise<FoldedReservation[]> {
  if (numbers.length === 0) return [];
  const rows = await session.rows<ReservationRow>(
    `SELECT number, user_id, seats, total_minor, held_at_ms, status, expires_at_ms, ended_at_ms, seq,
       payment_seq, paid_at_ms
     FROM reservation WHERE schedule_id = ? AND number IN (?)`,
    [scheduleId, numbers],
  );
  return rows.map((row) => ({
    number: row[0],
    userId: row[1],
    seats: seatsFromText(row[2]),
    totalMinor: row[3],
    heldAtMs: row[4],
    status: row[5],
    expiresAtMs: row[6],
    endedAtMs: row[7],
    seq: row[8],
    paymentSeq: row[9],
    paidAtMs: row[10],
  }));
}

/** A statement, and how many rows it must change; undefined where that is not known. */
interface Write {
  readonly statement: string;
  readonly sql: string;
  readonly rows?: number;
}

/**
 * Writes what the folds leave, all of them in one packet. Seats are freed before others are taken: the order within
 * a run was checked by its fold. Throws ProjectionGuardTripped, or MySqlFault where a key of the tables refused.
 */
export async function writeFolds(session: MySqlSession, folds: readonly ScheduleFold[]): Promise<void> {
  const writes = writesOf(folds.map((fold) => ({ fold, changes: fold.changes() })));
  const text = writes.map(({ sql }) => sql).join(';');
  const answer = await session.raw('projection of a run of events', text);
  const results = (Array.isArray(answer) ? answer : [answer]) as Changed[];
  for (const [index, { rows, statement }] of writes.entries()) {
    const { affectedRows } = results[index]!;
    guard(
      rows === undefined || affectedRows === rows,
      `${statement} found ${affectedRows} rows, not ${rows}`,
    );
  }
}

interface Folded {
  readonly fold: ScheduleFold;
  readonly changes: ScheduleChanges;
}

function writesOf(folded: readonly Folded[]): Write[] {
  const writes: Write[] = [];
  const add = (statement: string, sql: string, rows?: number) =>
    writes.push({ statement, sql, ...(rows !== undefined && { rows }) });
  const insert = (table: string, columns: string, rows: readonly SqlValue[][]) => {
    if (rows.length === 0) return;
    add(`INSERT INTO ${table}`, `INSERT INTO ${table} (${columns}) VALUES ${sqlRows(rows)}`, rows.length);
  };
  for (const { fold, changes } of folded) {
    const { scheduleId } = fold;
    const { freed, unblockedSeats, forgottenMarks, closedPayments } = changes;
    if (freed.length > 0) {
      const seats = freed.reduce((sum, reservation) => sum + reservation.seats.length, 0);
      add('UPDATE seat_reservation', freeSql(scheduleId, freed), seats);
    }
    if (unblockedSeats.length > 0) {
      const sql = `DELETE FROM seat_reservation WHERE schedule_id = ${Number(scheduleId)}
        AND reservation_number = ${blockedHolder} AND seat_id IN ${sqlList(unblockedSeats)}`;
      add('DELETE FROM seat_reservation', sql, unblockedSeats.length);
    }
    if (closedPayments.length > 0) {
      const sql = `DELETE FROM open_payment WHERE schedule_id = ${Number(scheduleId)}
        AND number IN ${sqlList(closedPayments)}`;
      add('DELETE FROM open_payment', sql, closedPayments.length);
    }
    if (forgottenMarks.length > 0) {
      const sql = `DELETE FROM mark WHERE schedule_id = ${Number(scheduleId)} AND seq IN ${sqlList(forgottenMarks)}`;
      add('DELETE FROM mark', sql);
    }
  }
  insert('reservation', reservationColumns, rowsOf(folded, createdRows));
  insert('seat_reservation', seatColumns, rowsOf(folded, seatRows));
  insert('mark', markColumns, rowsOf(folded, markRows));
  insert('open_payment', paymentColumns, rowsOf(folded, paymentRows));
  const changed = rowsOf(folded, changedRows);
  if (changed.length > 0) add('INSERT INTO reservation … ON DUPLICATE KEY UPDATE', changeSql(changed));
  add('INSERT INTO schedule_projection … ON DUPLICATE KEY UPDATE', stateSql(folded.map(({ fold }) => fold)));
  return writes;
}

const rowsOf = (folded: readonly Folded[], rows: (folded: Folded) => SqlValue[][]): SqlValue[][] =>
  folded.flatMap(rows);

const freeSql = (scheduleId: ScheduleId, freed: readonly FoldedReservation[]): string =>
  `UPDATE seat_reservation SET live = NULL, cancelled = 1 WHERE schedule_id = ${Number(scheduleId)}
   AND reservation_number IN ${sqlList(freed.map(({ number }) => number))} AND live = 1`;

const reservationColumns =
  'schedule_id, number, user_id, status, seats, total_minor, held_at_ms, expires_at_ms, ended_at_ms, seq, payment_seq, paid_at_ms';

const reservationRow = (scheduleId: ScheduleId, reservation: FoldedReservation): SqlValue[] => [
  scheduleId,
  reservation.number,
  reservation.userId,
  reservation.status,
  seatsToText(reservation.seats),
  reservation.totalMinor,
  reservation.heldAtMs,
  reservation.expiresAtMs,
  reservation.endedAtMs,
  reservation.seq,
  reservation.paymentSeq,
  reservation.paidAtMs,
];

const createdRows = ({ fold, changes }: Folded): SqlValue[][] =>
  changes.created.map((reservation) => reservationRow(fold.scheduleId, reservation));

const changedRows = ({ fold, changes }: Folded): SqlValue[][] =>
  changes.changed.map((reservation) => reservationRow(fold.scheduleId, reservation));

/** The rows are there already, so nothing is ever inserted. */
const changeSql = (rows: readonly SqlValue[][]): string =>
  `INSERT INTO reservation (${reservationColumns}) VALUES ${sqlRows(rows)}
   ON DUPLICATE KEY UPDATE status = VALUES(status), expires_at_ms = VALUES(expires_at_ms),
     ended_at_ms = VALUES(ended_at_ms), seq = VALUES(seq), payment_seq = VALUES(payment_seq),
     paid_at_ms = VALUES(paid_at_ms)`;

const seatColumns = 'schedule_id, reservation_number, seat_id, live, cancelled';

function seatRows({ fold: { scheduleId }, changes }: Folded): SqlValue[][] {
  const rows: SqlValue[][] = changes.blockedSeats.map((seat) => [scheduleId, blockedHolder, seat, 1, 0]);
  for (const { number, seats, endedAtMs } of changes.created) {
    const isLive = endedAtMs === 0;
    for (const seat of seats) rows.push([scheduleId, number, seat, isLive ? 1 : null, isLive ? 0 : 1]);
  }
  return rows;
}

const markColumns =
  'schedule_id, seq, at_ms, user_id, idempotency_key, fingerprint, number, kind, expires_at_ms';

const markRows = ({ fold: { scheduleId }, changes }: Folded): SqlValue[][] =>
  changes.marks.map(({ seq, atMs, userId, key, fingerprint, number, kind, expiresAtMs }) => [
    scheduleId,
    seq,
    atMs,
    userId,
    key,
    fingerprint,
    number,
    kind,
    expiresAtMs,
  ]);

const paymentColumns = 'schedule_id, number, method, hold_left_ms, idempotency_key, fingerprint';

const paymentRows = ({ fold: { scheduleId }, changes }: Folded): SqlValue[][] =>
  changes.payments.map(({ number, method, holdLeftMs, key, fingerprint }) => [
    scheduleId,
    number,
    method,
    holdLeftMs,
    key,
    fingerprint,
  ]);

function stateSql(folds: readonly ScheduleFold[]): string {
  const rows = folds.map(({ scheduleId, state }) => [
    scheduleId,
    state.projectedSeq,
    state.lastAtMs,
    state.lastReservationNumber,
    state.takenSeats,
    state.openReservations,
  ]);
  return `INSERT INTO schedule_projection (${stateColumns}) VALUES ${sqlRows(rows)}
    ON DUPLICATE KEY UPDATE projected_seq = VALUES(projected_seq), last_at_ms = VALUES(last_at_ms),
      last_reservation_number = VALUES(last_reservation_number), taken_seats = VALUES(taken_seats),
      open_reservations = VALUES(open_reservations)`;
}

/**
 * Drops marks that nobody may ask for again (I8), at most `marksMax`, oldest first: time never goes back within a
 * schedule, so the old ones lie together at the front of its range. One look-up when there are none.
 * @returns whether none is left.
 */
export async function forgetOldMarks(
  session: MySqlSession,
  { scheduleId, state }: ScheduleFold,
  marksMax: number,
): Promise<boolean> {
  const cutoffMs = state.lastAtMs - markRetentionMs;
  const [oldest] = await session.rows<[atMs: number]>(
    'SELECT at_ms FROM mark WHERE schedule_id = ? ORDER BY seq LIMIT 1',
    [scheduleId],
  );
  if (oldest === undefined || oldest[0] >= cutoffMs) return true;
  const rows = await session.rows<[seq: number, atMs: number]>(
    'SELECT seq, at_ms FROM mark WHERE schedule_id = ? ORDER BY seq LIMIT ?',
    [scheduleId, marksMax],
  );
  const old = rows.filter(([, atMs]) => atMs < cutoffMs);
  await session.change('DELETE FROM mark WHERE schedule_id = ? AND seq <= ?', [scheduleId, old.at(-1)![0]]);
  return old.length < marksMax;
}
