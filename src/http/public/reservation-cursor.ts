import * as v from 'valibot';
import type { ReservationNumber } from '../../actors/allocator/ids.ts';
import type { ReservationQuery, StoredReservation } from '../../actors/runtime/ports.ts';
import { scheduleIdField } from '../input/field-schemas.ts';
import { readCursor, writeCursor } from '../input/page-cursor.ts';

type PageStart = NonNullable<ReservationQuery['after']>;

const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const position = v.strictTuple([whole, scheduleIdField, v.pipe(whole, v.minValue(1))]);

/** Where a page of reservations ended. */
export const writeReservationCursor = ({ heldAtMs, scheduleId, number }: StoredReservation): string =>
  writeCursor([heldAtMs, scheduleId, number]);

/** Undefined when it is not one of ours. */
export function readReservationCursor(text: string): PageStart | undefined {
  const cursor = readCursor(position, text);
  if (cursor === undefined) return undefined;
  const [heldAtMs, scheduleId, number] = cursor;
  return { heldAtMs, scheduleId, number: number as ReservationNumber };
}
