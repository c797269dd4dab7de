import { gunzipSync, gzipSync } from 'node:zlib';
import type { IdempotencyMark } from '../../actors/allocator/event.ts';
import type { IdempotencyKey, PerformanceId, ScheduleId, VenueId } from '../../actors/allocator/ids.ts';
import type { LayoutSection } from '../../actors/allocator/venue-layout.ts';
import type { CreationMark, Performance, Schedule, VenueSummary } from '../../actors/runtime/catalog.ts';
import type { MySqlSession } from '../../mysql/session.ts';
import { type SqlValue, sqlRows } from '../../mysql/sql-values.ts';
import {
  type CreationMarkRow,
  type PerformanceRow,
  type ScheduleRow,
  toCreationMark,
  toPerformance,
  toSchedule,
} from '../catalog-row.ts';
import type { VenueRow } from '../worker/store-procedures.ts';
import { type Creator, createEntry } from './creation.ts';

/** Rows of `seat` in one INSERT: some 100 KiB. */
const seatsPerInsert = 1_000;

export function createVenue(creator: Creator, venue: VenueRow, mark?: IdempotencyMark): Promise<VenueId> {
  return createEntry(creator, 'venue', mark, async (session, venueId, creation) => {
    await session.change(
      'INSERT INTO venue (venue_id, name, seats, layout, creation) VALUES (?, ?, ?, ?, ?)',
      [venueId, venue.name, venue.seats, gzipSync(venue.layout), creation],
    );
    let rows: SqlValue[][] = [];
    for (const row of seatRows(venueId, JSON.parse(venue.layout))) {
      rows.push(row);
      if (rows.length < seatsPerInsert) continue;
      await insertSeats(session, rows);
      rows = [];
    }
    if (rows.length > 0) await insertSeats(session, rows);
  });
}

function* seatRows(venueId: number, sections: readonly LayoutSection[]): Generator<SqlValue[]> {
  let seatId = 0;
  for (const section of sections) {
    for (const row of section.rows) {
      for (const seat of row.seats) {
        yield [venueId, seatId, seat.seatId, section.name, row.name, seat.number, seat.category];
        seatId += 1;
      }
    }
  }
}

async function insertSeats(session: MySqlSession, rows: readonly SqlValue[][]): Promise<void> {
  const columns = 'venue_id, seat_id, public_id, section, row_name, number, category';
  await session.raw('INSERT INTO seat …', `INSERT INTO seat (${columns}) VALUES ${sqlRows(rows)}`);
}

export function createPerformance(
  creator: Creator,
  performance: Omit<Performance, 'performanceId'>,
  mark?: IdempotencyMark,
): Promise<PerformanceId> {
  const { name, venueId, currency, prices, seatsPerUserMax, orphanRule } = performance;
  return createEntry(creator, 'performance', mark, async (session, performanceId, creation) => {
    await session.change(
      `INSERT INTO performance
         (performance_id, name, venue_id, currency, prices, seats_per_user_max, orphan_rule, creation)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      [
        performanceId,
        name,
        venueId,
        currency,
        JSON.stringify(prices),
        seatsPerUserMax ?? null,
        Number(orphanRule),
        creation,
      ],
    );
  });
}

export function createSchedule(
  creator: Creator,
  { performanceId, startsAtMs, onSaleAtMs }: Omit<Schedule, 'scheduleId'>,
  mark?: IdempotencyMark,
): Promise<ScheduleId> {
  return createEntry(creator, 'schedule', mark, async (session, scheduleId, creation) => {
    await session.change(
      `INSERT INTO schedule (schedule_id, performance_id, starts_at_ms, on_sale_at_ms, creation)
       VALUES (?, ?, ?, ?, ?)`,
      [scheduleId, performanceId, startsAtMs, onSaleAtMs ?? null, creation],
    );
  });
}

export async function listCreationMarks(session: MySqlSession): Promise<CreationMark[]> {
  const rows = await session.rows<CreationMarkRow>(
    'SELECT idempotency_key, fingerprint, id FROM creation_mark',
  );
  return rows.map(toCreationMark);
}

export async function findCreationMark(
  session: MySqlSession,
  key: IdempotencyKey,
): Promise<CreationMark | undefined> {
  const [row] = await session.rows<CreationMarkRow>(
    'SELECT idempotency_key, fingerprint, id FROM creation_mark WHERE idempotency_key = ?',
    [key],
  );
  return row && toCreationMark(row);
}

export async function listVenues(session: MySqlSession, afterId: number): Promise<VenueSummary[]> {
  const rows = await session.rows<[VenueId, string, number]>(
    'SELECT venue_id, name, seats FROM venue WHERE venue_id > ? ORDER BY venue_id',
    [afterId],
  );
  return rows.map(([venueId, name, seats]) => ({ venueId, name, seats }));
}

export async function loadVenue(session: MySqlSession, venueId: VenueId): Promise<VenueRow | undefined> {
  const [row] = await session.rows<[string, number, Buffer]>(
    'SELECT name, seats, layout FROM venue WHERE venue_id = ?',
    [venueId],
  );
  return row && { name: row[0], seats: row[1], layout: gunzipSync(row[2]).toString() };
}

export async function listPerformances(session: MySqlSession, afterId: number): Promise<Performance[]> {
  const rows = await session.rows<PerformanceRow>(
    `SELECT performance_id, name, venue_id, currency, prices, seats_per_user_max, orphan_rule
     FROM performance WHERE performance_id > ? ORDER BY performance_id`,
    [afterId],
  );
  return rows.map(toPerformance);
}

export async function listSchedules(
  session: MySqlSession,
  afterId: number,
): Promise<(Schedule & { available: number })[]> {
  const rows = await session.rows<ScheduleRow>(
    `SELECT s.schedule_id, s.performance_id, s.starts_at_ms, s.on_sale_at_ms,
       CAST(v.seats AS SIGNED) - COALESCE(p.taken_seats, 0)
     FROM schedule s
     JOIN performance USING (performance_id)
     JOIN venue v USING (venue_id)
     LEFT JOIN schedule_projection p ON p.schedule_id = s.schedule_id
     WHERE s.schedule_id > ?
     ORDER BY s.schedule_id`,
    [afterId],
  );
  return rows.map(toSchedule);
}
