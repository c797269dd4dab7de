import * as v from 'valibot';
import type { ReservationNumber } from '../../actors/allocator/ids.ts';
import type { ReservationQuery, StoredReservation } from '../../actors/runtime/ports.ts';
import { scheduleIdField } from '../input/field-schemas.ts';

type PageStart = NonNullable<ReservationQuery['after']>;

const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const cursorSchema = v.strictTuple([whole, scheduleIdField, v.pipe(whole, v.minValue(1))]);

/** Where a page ended, as text that says nothing to its reader: base64url of a JSON array. */
export const writeCursor = ({ heldAtMs, scheduleId, number }: StoredReservation): string =>
  Buffer.from(JSON.stringify([heldAtMs, scheduleId, number])).toString('base64url');

/** Undefined when it is not one of ours. */
export function readCursor(text: string): PageStart | undefined {
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.toString('base64url') !== text) return undefined;
  try {
    const cursor = v.safeParse(cursorSchema, JSON.parse(bytes.toString('utf8')));
    if (!cursor.success) return undefined;
    const [heldAtMs, scheduleId, number] = cursor.output;
    return { heldAtMs, scheduleId, number: number as ReservationNumber };
  } catch {
    return undefined;
  }
}
