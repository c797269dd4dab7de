import { assert } from '../allocator/assert.ts';
import type { IdempotencyMark } from '../allocator/event.ts';
import type { IdempotencyKey, PerformanceId, ScheduleId, VenueId } from '../allocator/ids.ts';
import { SeatMap } from '../allocator/seat-map.ts';
import type { VenueLayout } from '../allocator/venue-layout.ts';
import type { CatalogService, CreatedOnce } from './allocator-service.ts';
import type { Performance, Schedule, VenueSummary } from './catalog.ts';
import type { CatalogStore } from './ports.ts';

/** Compiled halls kept beside those that actors hold; a large one takes tens of megabytes. */
const seatMapsMax = 32;

/**
 * The catalogue in memory: read whole at start, added to as an operator creates. Entries are immutable, so
 * there is nothing to invalidate. Halls are compiled when first needed.
 */
export class CatalogCache implements CatalogService {
  readonly #store: CatalogStore;
  readonly #venues = new Map<VenueId, VenueSummary>();
  readonly #performances = new Map<PerformanceId, Performance>();
  readonly #schedules = new Map<ScheduleId, Schedule>();
  readonly #schedulesOf = new Map<PerformanceId, Schedule[]>();
  /** What each key has made, or is making. */
  readonly #created = new Map<
    IdempotencyKey,
    { readonly fingerprint: number; readonly id: Promise<number> }
  >();
  readonly #available = new Map<ScheduleId, number>();
  /** Least recently used first. */
  readonly #seatMaps = new Map<VenueId, Promise<SeatMap | undefined>>();

  constructor(store: CatalogStore) {
    this.#store = store;
  }

  async load(): Promise<void> {
    const [venues, performances, schedules, marks] = await Promise.all([
      this.#store.listVenues(),
      this.#store.listPerformances(),
      this.#store.listSchedules(),
      this.#store.listCreationMarks(),
    ]);
    for (const venue of venues) this.#venues.set(venue.venueId, venue);
    for (const performance of performances) this.#performances.set(performance.performanceId, performance);
    for (const { available, ...schedule } of schedules) this.#addSchedule(schedule, available);
    for (const { key, fingerprint, id } of marks)
      this.#created.set(key, { fingerprint, id: Promise.resolve(id) });
  }

  venues(): readonly VenueSummary[] {
    return [...this.#venues.values()];
  }

  performances(): readonly Performance[] {
    return [...this.#performances.values()];
  }

  performance(performanceId: PerformanceId): Performance | undefined {
    return this.#performances.get(performanceId);
  }

  schedule(scheduleId: ScheduleId): Schedule | undefined {
    return this.#schedules.get(scheduleId);
  }

  schedulesOf(performanceId: PerformanceId): readonly Schedule[] {
    return this.#schedulesOf.get(performanceId) ?? [];
  }

  available(scheduleId: ScheduleId): number {
    return this.#available.get(scheduleId) ?? 0;
  }

  /** The last durable count of the schedule's actor; stays when the actor leaves memory. */
  setAvailable(scheduleId: ScheduleId, available: number): void {
    this.#available.set(scheduleId, available);
  }

  capacity(scheduleId: ScheduleId): number {
    const schedule = this.#schedules.get(scheduleId);
    const performance = schedule && this.#performances.get(schedule.performanceId);
    return (performance && this.#venues.get(performance.venueId)?.seats) ?? 0;
  }

  venueLayout(venueId: VenueId): Promise<VenueLayout | undefined> {
    return this.#store.loadVenue(venueId);
  }

  async seatMap(scheduleId: ScheduleId): Promise<SeatMap | undefined> {
    const schedule = this.#schedules.get(scheduleId);
    const performance = schedule && this.#performances.get(schedule.performanceId);
    return performance && this.#seatMapOf(performance.venueId);
  }

  async createVenue(layout: Omit<VenueLayout, 'venueId'>, mark?: IdempotencyMark): Promise<VenueId> {
    const venueId = await this.#store.createVenue(layout, mark);
    const seats = layout.sections
      .flatMap((section) => section.rows)
      .reduce((sum, row) => sum + row.seats.length, 0);
    this.#venues.set(venueId, { venueId, name: layout.name, seats });
    return venueId;
  }

  async createPerformance(
    performance: Omit<Performance, 'performanceId'>,
    mark?: IdempotencyMark,
  ): Promise<PerformanceId> {
    assert(this.#venues.has(performance.venueId), 'a performance has a venue');
    const performanceId = await this.#store.createPerformance(performance, mark);
    this.#performances.set(performanceId, { ...performance, performanceId });
    return performanceId;
  }

  async createSchedule(schedule: Omit<Schedule, 'scheduleId'>, mark?: IdempotencyMark): Promise<ScheduleId> {
    assert(this.#performances.has(schedule.performanceId), 'a schedule has a performance');
    const scheduleId = await this.#store.createSchedule(schedule, mark);
    const { venueId } = this.#performances.get(schedule.performanceId) as Performance;
    this.#addSchedule({ ...schedule, scheduleId }, this.#venues.get(venueId)?.seats ?? 0);
    return scheduleId;
  }

  async createOnce(
    mark: IdempotencyMark,
    create: () => Promise<number>,
  ): Promise<CreatedOnce | 'key-reused'> {
    const first = this.#created.get(mark.key);
    if (first !== undefined) {
      return first.fingerprint === mark.fingerprint ? { id: await first.id, replayed: true } : 'key-reused';
    }
    const id = create();
    this.#created.set(mark.key, { fingerprint: mark.fingerprint, id });
    try {
      return { id: await id, replayed: false };
    } catch (error) {
      this.#created.delete(mark.key);
      throw error;
    }
  }

  #addSchedule(schedule: Schedule, available: number): void {
    this.#schedules.set(schedule.scheduleId, schedule);
    this.#available.set(schedule.scheduleId, available);
    const siblings = this.#schedulesOf.get(schedule.performanceId) ?? [];
    siblings.push(schedule);
    siblings.sort((a, b) => a.startsAtMs - b.startsAtMs || a.scheduleId - b.scheduleId);
    this.#schedulesOf.set(schedule.performanceId, siblings);
  }

  #seatMapOf(venueId: VenueId): Promise<SeatMap | undefined> {
    const compiled = this.#seatMaps.get(venueId) ?? this.#compile(venueId);
    this.#seatMaps.delete(venueId);
    this.#seatMaps.set(venueId, compiled);
    const [oldest] = this.#seatMaps.keys();
    if (this.#seatMaps.size > seatMapsMax && oldest !== undefined) this.#seatMaps.delete(oldest);
    return compiled;
  }

  async #compile(venueId: VenueId): Promise<SeatMap | undefined> {
    try {
      const layout = await this.#store.loadVenue(venueId);
      return layout && new SeatMap(layout);
    } catch (error) {
      this.#seatMaps.delete(venueId);
      throw error;
    }
  }
}
