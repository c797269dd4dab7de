import { expect } from 'vitest';
import { auditFaults } from './buyer.ts';
import type { Booking, Sale } from './sale.ts';
import type { UsherProcess } from './usher-process.ts';

/**
 * What was acknowledged is there (I1, I2, I8, I10, I11): every 201 under its key again, word for word, and by its
 * id with the status that its client knows; a seat has one holder or is free, and nothing else is taken; the audit
 * finds nothing.
 */
export async function expectKept(usher: UsherProcess, sale: Sale): Promise<void> {
  await eachOf(sale.bookings, expectBookingKept);
  for (const scheduleId of sale.scheduleIds) {
    const holderOf = new Map<string, string>();
    for (const { seatIds, reservationId } of sale.bookings.filter(isLiveIn(scheduleId))) {
      for (const seatId of seatIds) {
        expect(holderOf.get(seatId), `the holder of ${seatId} beside ${reservationId}`).toBeUndefined();
        holderOf.set(seatId, reservationId);
      }
    }
    const free = sale.seatIds.filter((seatId) => !holderOf.has(seatId));
    expect(await freeSeats(usher, scheduleId)).toEqual(free);
    expect(await auditFaults(usher, scheduleId)).toEqual([]);
  }
}

export const isLiveIn =
  (scheduleId: number) =>
  (booking: Booking): boolean =>
    booking.scheduleId === scheduleId && !booking.isCancelled;

async function expectBookingKept(booking: Booking): Promise<void> {
  const { buyer, key, scheduleId, seatIds, text, reservationId, isCancelled } = booking;
  const again = await buyer.post('/reservations', { scheduleId, seatIds }, key);
  expect([again.status, again.text], `${key} again`).toEqual([201, text]);
  expect(again.headers.get('idempotency-replayed')).toBe('true');
  const { body } = await buyer.get(`/reservations/${reservationId}`);
  expect(body).toMatchObject({ reservationId, scheduleId, status: isCancelled ? 'CANCELLED' : 'HELD' });
  expect(body.seats.map((seat: { seatId: string }) => seat.seatId)).toEqual(seatIds);
}

async function freeSeats(usher: UsherProcess, scheduleId: number): Promise<readonly string[]> {
  const path = `/reservations/available/seat?scheduleId=${scheduleId}`;
  const answer = (await (await fetch(usher.publicUrl + path)).json()) as { seatIds: string[] };
  return answer.seatIds;
}

/** So many at a time. */
const atOnce = 20;

async function eachOf<T>(items: readonly T[], check: (item: T) => Promise<void>): Promise<void> {
  const rest = items.values();
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (const item of rest) await check(item);
    }),
  );
}
