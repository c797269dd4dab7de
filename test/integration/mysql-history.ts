import { createConnection, type RowDataPacket } from 'mysql2/promise';
import { expect, vi } from 'vitest';
import type { ScheduleEventType } from '../../src/actors/allocator/event.ts';
import { decodeEvent } from '../../src/actors/runtime/event-codec.ts';
import type { Booking, Sale } from './sale.ts';
import { isLiveIn } from './sale-checks.ts';

/** Rows of the database itself, past every node. */
export async function queryMySql(url: string, sql: string): Promise<readonly RowDataPacket[]> {
  const connection = await createConnection(url);
  try {
    const [rows] = await connection.query<RowDataPacket[]>(sql);
    return rows;
  } finally {
    connection.destroy();
  }
}

/**
 * What was acknowledged is in the tables: the journal of each schedule without a gap and with every 201 where its
 * body says, whole; no seat given while somebody has it; and the seats that are live are those that clients know.
 */
export async function expectInMySql(url: string, sale: Sale): Promise<void> {
  await vi.waitUntil(async () => (await queryMySql(url, notProjected)).length === 0, { timeout: 20_000 });
  expect(await queryMySql(url, liveTwice), 'a seat is live once').toEqual([]);
  const rows = await queryMySql(url, 'SELECT * FROM event_log ORDER BY schedule_id, seq');
  const live = await queryMySql(url, 'SELECT * FROM seat_reservation WHERE live = 1');
  for (const scheduleId of sale.scheduleIds) {
    const ofSchedule = (row: RowDataPacket) => row['schedule_id'] === scheduleId;
    const journal = new Journal(rows.filter(ofSchedule));
    const bookings = sale.bookings.filter((booking) => booking.scheduleId === scheduleId);
    for (const booking of bookings) journal.expectHeld(booking, sale.seatIds);
    const known = bookings.filter(isLiveIn(scheduleId)).flatMap((booking) => placesOf(booking, sale.seatIds));
    expect(journal.placesTaken).toEqual(known.sort());
    expect(
      live
        .filter(ofSchedule)
        .map((row) => place(row['seat_id'], row['reservation_number']))
        .sort(),
    ).toEqual(known);
  }
}

const notProjected = `SELECT schedule_id FROM event_log LEFT JOIN schedule_projection USING (schedule_id)
  GROUP BY schedule_id, projected_seq HAVING MAX(seq) > COALESCE(projected_seq, 0)`;

const liveTwice = `SELECT schedule_id, seat_id FROM seat_reservation WHERE live = 1
  GROUP BY schedule_id, seat_id HAVING COUNT(*) > 1`;

/** The journal of one schedule, folded. Throws where it gives a seat that somebody has. */
class Journal {
  readonly #held = new Map<number, { number: number; userId: string; seats: readonly number[] }>();
  readonly #holders = new Map<number, number>();

  constructor(rows: readonly RowDataPacket[]) {
    expect(rows.map((row) => row['seq'])).toEqual(rows.map((_, index) => index + 1));
    const seatsOf = new Map<number, readonly number[]>();
    for (const row of rows) {
      const event = decodeEvent({
        seq: row['seq'],
        atMs: row['at_ms'],
        type: row['type'] as ScheduleEventType,
        payload: row['payload'],
      });
      if (event.type === 'held') {
        const { number, userId, seats } = event;
        this.#held.set(event.seq, { number, userId, seats });
        seatsOf.set(number, seats);
        for (const seat of seats) {
          expect(this.#holders.get(seat), `holder of seat ${seat} at seq ${event.seq}`).toBeUndefined();
          this.#holders.set(seat, number);
        }
      } else if (event.type === 'cancelled') {
        for (const seat of seatsOf.get(event.number) ?? []) this.#holders.delete(seat);
      }
    }
  }

  expectHeld({ seq, reservationId, scheduleId, buyer, seatIds }: Booking, hall: readonly string[]): void {
    expect(this.#held.get(seq), `${reservationId} at seq ${seq}`).toEqual({
      number: Number(reservationId.slice(`${scheduleId}-`.length)),
      userId: buyer.userId,
      seats: seatIds.map((seatId) => hall.indexOf(seatId)),
    });
  }

  get placesTaken(): readonly string[] {
    return Array.from(this.#holders, ([seat, number]) => place(seat, number)).sort();
  }
}

const placesOf = ({ reservationId, seatIds }: Booking, hall: readonly string[]): string[] =>
  seatIds.map((seatId) => place(hall.indexOf(seatId), Number(reservationId.split('-')[1])));

const place = (seat: number, number: number): string => `seat ${seat} of reservation ${number}`;
