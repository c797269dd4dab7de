import type { ScheduleEventType } from '../actors/allocator/event.ts';
import type {
  IdempotencyKey,
  ReservationNumber,
  ScheduleId,
  ShardId,
  UserId,
} from '../actors/allocator/ids.ts';
import { type PaymentMethod, paymentMethods } from '../actors/allocator/payment.ts';
import type {
  MarkColumns,
  ProjectionImage,
  ReservationColumns,
  StoredOpenPayment,
} from '../actors/runtime/ports.ts';
import type { JournalColumns } from './journal-columns.ts';

/**
 * Rows of the tables, as arrays in the order of their columns, to the columns of a ProjectionImage: typed arrays
 * move to another thread without a copy.
 */

/** A StoredSchedule with its tail in columns. */
export interface StoredScheduleColumns {
  readonly image: ProjectionImage;
  readonly tail: JournalColumns;
}

export type ReservationRow = [
  number: ReservationNumber,
  userId: UserId,
  status: number,
  seats: string,
  totalMinor: number,
  heldAtMs: number,
  expiresAtMs: number,
  endedAtMs: number,
  seq: number,
  paymentSeq: number,
  paidAtMs: number,
];

export type OpenPaymentRow = [
  number: ReservationNumber,
  method: number,
  holdLeftMs: number,
  key: IdempotencyKey | null,
  fingerprint: number | null,
];

export type MarkRow = [
  seq: number,
  atMs: number,
  userId: UserId,
  key: string,
  fingerprint: number,
  number: number,
  kind: number,
  expiresAtMs: number,
];

export type TailRow = [seq: number, shardId: ShardId, atMs: number, type: ScheduleEventType, payload: string];

/** The buffers of an image that may move to another thread instead of being copied. */
export function transferableBuffers(image: ProjectionImage): ArrayBuffer[] {
  return [image, image.reservations, image.marks].flatMap((columns) =>
    Object.values(columns).flatMap((column) =>
      ArrayBuffer.isView(column) ? [column.buffer as ArrayBuffer] : [],
    ),
  );
}

export function reservationColumns(rows: readonly ReservationRow[]): ReservationColumns {
  const count = rows.length;
  const number = new Float64Array(count);
  const userId = new Array<string>(count);
  const status = new Uint8Array(count);
  const seatCount = new Uint8Array(count);
  const seats: number[] = [];
  const totalMinor = new Float64Array(count);
  const heldAtMs = new Float64Array(count);
  const expiresAtMs = new Float64Array(count);
  const endedAtMs = new Float64Array(count);
  const seq = new Float64Array(count);
  const paymentSeq = new Float64Array(count);
  const paidAtMs = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const row = rows[i]!;
    number[i] = row[0];
    userId[i] = row[1];
    status[i] = row[2];
    seatCount[i] = pushSeats(seats, row[3]);
    totalMinor[i] = row[4];
    heldAtMs[i] = row[5];
    expiresAtMs[i] = row[6];
    endedAtMs[i] = row[7];
    seq[i] = row[8];
    paymentSeq[i] = row[9];
    paidAtMs[i] = row[10];
  }
  return {
    count,
    number,
    userId,
    status,
    seatCount,
    seats: Int32Array.from(seats),
    totalMinor,
    heldAtMs,
    expiresAtMs,
    endedAtMs,
    seq,
    paymentSeq,
    paidAtMs,
  };
}

export const toOpenPayment = ([
  number,
  method,
  holdLeftMs,
  key,
  fingerprint,
]: OpenPaymentRow): StoredOpenPayment => ({
  number,
  method: paymentMethods[method] as PaymentMethod,
  holdLeftMs,
  idempotency: key === null || fingerprint === null ? undefined : { key, fingerprint },
});

/** seatsFromText without an array for the one seat that most reservations have. */
function pushSeats(seats: number[], text: string): number {
  if (!text.includes(',')) {
    seats.push(Number(text));
    return 1;
  }
  const ordinals = text.split(',');
  for (const ordinal of ordinals) seats.push(Number(ordinal));
  return ordinals.length;
}

export function markColumns(rows: readonly MarkRow[]): MarkColumns {
  const count = rows.length;
  const seq = new Float64Array(count);
  const atMs = new Float64Array(count);
  const userId = new Array<string>(count);
  const key = new Array<string>(count);
  const fingerprint = new Float64Array(count);
  const number = new Float64Array(count);
  const kind = new Uint8Array(count);
  const expiresAtMs = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const row = rows[i]!;
    seq[i] = row[0];
    atMs[i] = row[1];
    userId[i] = row[2];
    key[i] = row[3];
    fingerprint[i] = row[4];
    number[i] = row[5];
    kind[i] = row[6];
    expiresAtMs[i] = row[7];
  }
  return { count, seq, atMs, userId, key, fingerprint, number, kind, expiresAtMs };
}

export function tailColumns(scheduleId: ScheduleId, rows: readonly TailRow[]): JournalColumns {
  return {
    count: rows.length,
    scheduleId: rows.map(() => scheduleId),
    seq: rows.map((row) => row[0]),
    shardId: rows.map((row) => row[1]),
    atMs: rows.map((row) => row[2]),
    type: rows.map((row) => row[3]),
    payload: rows.map((row) => row[4]),
  };
}
