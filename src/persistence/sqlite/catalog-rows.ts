import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { IdempotencyMark } from '../../actors/allocator/event.ts';
import type { IdempotencyKey, PerformanceId, ScheduleId, VenueId } from '../../actors/allocator/ids.ts';
import type { CreationMark, Performance, Schedule, VenueSummary } from '../../actors/runtime/catalog.ts';
import type { Transactions } from '../../sqlite/transactions.ts';
import { queryRow, queryRows } from '../../sqlite/typed-rows.ts';
import {
  type CreationMarkRow,
  type PerformanceRow,
  type ScheduleRow,
  toCreationMark,
  toPerformance,
  toSchedule,
} from '../catalog-row.ts';
import type { VenueRow } from '../worker/store-procedures.ts';

/** CatalogStore on its tables. Nothing is ever deleted, so SQLite's own ids count 1, 2, 3 … */
export class CatalogRows {
  readonly #transactions: Transactions;
  readonly #insertVenue: StatementSync;
  readonly #insertPerformance: StatementSync;
  readonly #insertSchedule: StatementSync;
  readonly #insertMark: StatementSync;
  readonly #marks: StatementSync;
  readonly #mark: StatementSync;
  readonly #venues: StatementSync;
  readonly #venue: StatementSync;
  readonly #performances: StatementSync;
  readonly #schedules: StatementSync;

  constructor(db: DatabaseSync, transactions: Transactions) {
    this.#transactions = transactions;
    const prepare = (sql: string) => db.prepare(sql, { returnArrays: true });
    this.#insertVenue = prepare(
      'INSERT INTO venue (name, seats, layout) VALUES (?, ?, ?) RETURNING venue_id',
    );
    this.#insertPerformance = prepare(
      `INSERT INTO performance (name, venue_id, currency, prices, seats_per_user_max, orphan_rule)
       VALUES (?, ?, ?, ?, ?, ?) RETURNING performance_id`,
    );
    this.#insertSchedule = prepare(
      `INSERT INTO schedule (performance_id, starts_at_ms, on_sale_at_ms)
       VALUES (?, ?, ?) RETURNING schedule_id`,
    );
    this.#insertMark = prepare('INSERT INTO creation_mark (key, fingerprint, id) VALUES (?, ?, ?)');
    this.#marks = prepare('SELECT key, fingerprint, id FROM creation_mark');
    this.#mark = prepare('SELECT key, fingerprint, id FROM creation_mark WHERE key = ?');
    this.#venues = prepare('SELECT venue_id, name, seats FROM venue WHERE venue_id > ? ORDER BY venue_id');
    this.#venue = prepare('SELECT name, seats, layout FROM venue WHERE venue_id = ?');
    this.#performances = prepare(
      `SELECT performance_id, name, venue_id, currency, prices, seats_per_user_max, orphan_rule
       FROM performance WHERE performance_id > ? ORDER BY performance_id`,
    );
    this.#schedules = prepare(
      `SELECT schedule.schedule_id, performance_id, starts_at_ms, on_sale_at_ms,
         venue.seats - coalesce(schedule_projection.taken_seats, 0)
       FROM schedule
       JOIN performance USING (performance_id)
       JOIN venue USING (venue_id)
       LEFT JOIN schedule_projection USING (schedule_id)
       WHERE schedule.schedule_id > ?
       ORDER BY schedule.schedule_id`,
    );
  }

  createVenue({ name, seats, layout }: VenueRow, mark?: IdempotencyMark): VenueId {
    return this.#create(mark, () => queryRow<[VenueId]>(this.#insertVenue, name, seats, layout)![0]);
  }

  createPerformance(performance: Omit<Performance, 'performanceId'>, mark?: IdempotencyMark): PerformanceId {
    const { name, venueId, currency, prices, seatsPerUserMax, orphanRule } = performance;
    return this.#create(mark, () => {
      const [id] = queryRow<[PerformanceId]>(
        this.#insertPerformance,
        name,
        venueId,
        currency,
        JSON.stringify(prices),
        seatsPerUserMax ?? null,
        Number(orphanRule),
      )!;
      return id;
    });
  }

  createSchedule(schedule: Omit<Schedule, 'scheduleId'>, mark?: IdempotencyMark): ScheduleId {
    const { performanceId, startsAtMs, onSaleAtMs } = schedule;
    return this.#create(mark, () => {
      const [id] = queryRow<[ScheduleId]>(
        this.#insertSchedule,
        performanceId,
        startsAtMs,
        onSaleAtMs ?? null,
      )!;
      return id;
    });
  }

  listCreationMarks(): CreationMark[] {
    return queryRows<CreationMarkRow>(this.#marks).map(toCreationMark);
  }

  findCreationMark(key: IdempotencyKey): CreationMark | undefined {
    const row = queryRow<CreationMarkRow>(this.#mark, key);
    return row && toCreationMark(row);
  }

  /** With its mark, or not at all. */
  #create<Id extends number>(mark: IdempotencyMark | undefined, insert: () => Id): Id {
    return this.#transactions.durable(() => {
      const id = insert();
      if (mark !== undefined) this.#insertMark.run(mark.key, mark.fingerprint, id);
      return id;
    });
  }

  listVenues(afterId: number): VenueSummary[] {
    return queryRows<[VenueId, string, number]>(this.#venues, afterId).map(([venueId, name, seats]) => ({
      venueId,
      name,
      seats,
    }));
  }

  loadVenue(venueId: VenueId): VenueRow | undefined {
    const row = queryRow<[string, number, string]>(this.#venue, venueId);
    return row && { name: row[0], seats: row[1], layout: row[2] };
  }

  listPerformances(afterId: number): Performance[] {
    return queryRows<PerformanceRow>(this.#performances, afterId).map(toPerformance);
  }

  listSchedules(afterId: number): (Schedule & { available: number })[] {
    return queryRows<ScheduleRow>(this.#schedules, afterId).map(toSchedule);
  }
}
