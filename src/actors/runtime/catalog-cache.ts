import { assert } from '../allocator/assert.ts';
import type { IdempotencyMark } from '../allocator/event.ts';
import type { IdempotencyKey, PerformanceId, ScheduleId, VenueId } from '../allocator/ids.ts';
import { SeatMap } from '../allocator/seat-map.ts';
import type { VenueLayout } from '../allocator/venue-layout.ts';
import type { CatalogService, CreatedOnce } from './allocator-service.ts';
import type { CreationMark, Performance, Schedule, VenueSummary } from './catalog.ts';
import { CatalogLessons } from './catalog-lessons.ts';
import type { CatalogStore, Clock } from './ports.ts';

/** Compiled halls kept beside those that actors hold; a large one takes tens of megabytes. */
const seatMapsMax = 32;

/**
 * The catalogue in memory: read whole at start, added to as an operator creates, here or, once somebody asks for
 * what is missing (`learn`), at another node. Entries are immutable, so there is nothing to invalidate. Halls are
 * compiled when first needed.
 */
export class CatalogCache implements CatalogService {
  readonly #store: CatalogStore;
  readonly #lessons: CatalogLessons;
  /** By id, as the performances. */
  #venues = new Map<VenueId, VenueSummary>();
  #performances = new Map<PerformanceId, Performance>();
  readonly #schedules = new Map<ScheduleId, Schedule>();
  readonly #schedulesOf = new Map<PerformanceId, Schedule[]>();
  /** What each key has made, or is making. */
  readonly #created = new Map<IdempotencyKey, Creation>();
  /** Up to which id the store was read. What was created here has higher ones, with others' in between. */
  readonly #learnedUpTo = { venue: 0, performance: 0, schedule: 0 };
  readonly #available = new Map<ScheduleId, number>();
  /** Least recently used first. */
  readonly #seatMaps = new Map<VenueId, Promise<SeatMap | undefined>>();

  constructor(store: CatalogStore, clock: Pick<Clock, 'monotonicMs' | 'setTimer'>) {
    this.#store = store;
    this.#lessons = new CatalogLessons(() => this.#readNew(), clock);
  }

  async load(): Promise<void> {
    const [marks] = await Promise.all([this.#store.listCreationMarks(), this.#readNew()]);
    for (const mark of marks) this.#created.set(mark.key, madeBefore(mark));
  }

  learn(): Promise<void> {
    return this.#lessons.next();
  }

  /** What belongs to something is read before it, so that whatever is known has what it belongs to. */
  async #readNew(): Promise<void> {
    const upTo = this.#learnedUpTo;
    const schedules = await this.#store.listSchedules(upTo.schedule);
    const performances = await this.#store.listPerformances(upTo.performance);
    const venues = await this.#store.listVenues(upTo.venue);
    this.#venues = byId(this.#venues, venues, ({ venueId }) => venueId);
    this.#performances = byId(this.#performances, performances, ({ performanceId }) => performanceId);
    for (const { available, ...schedule } of schedules) this.#addSchedule(schedule, available);
    upTo.venue = venues.at(-1)?.venueId ?? upTo.venue;
    upTo.performance = performances.at(-1)?.performanceId ?? upTo.performance;
    upTo.schedule = schedules.at(-1)?.scheduleId ?? upTo.schedule;
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
    if (!this.#venues.has(performance.venueId)) await this.learn();
    assert(this.#venues.has(performance.venueId), 'a performance has a venue');
    const performanceId = await this.#store.createPerformance(performance, mark);
    this.#performances.set(performanceId, { ...performance, performanceId });
    return performanceId;
  }

  async createSchedule(schedule: Omit<Schedule, 'scheduleId'>, mark?: IdempotencyMark): Promise<ScheduleId> {
    if (!this.#performances.has(schedule.performanceId)) await this.learn();
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
      if (first.fingerprint !== mark.fingerprint) return 'key-reused';
      const made = await first.made;
      return made === 'key-reused' ? made : { id: made.id, replayed: true };
    }
    const made = this.#create(mark, create);
    this.#created.set(mark.key, { fingerprint: mark.fingerprint, made });
    try {
      return await made;
    } catch (error) {
      this.#created.delete(mark.key);
      throw error;
    }
  }

  /** Another node may have made something with the key, which the store refuses to take twice. */
  async #create(mark: IdempotencyMark, create: () => Promise<number>): Promise<CreatedOnce | 'key-reused'> {
    try {
      return { id: await create(), replayed: false };
    } catch (error) {
      const found = await this.#store.findCreationMark(mark.key).catch(() => undefined);
      if (found === undefined) throw error;
      this.#created.set(mark.key, madeBefore(found));
      return found.fingerprint === mark.fingerprint ? { id: found.id, replayed: true } : 'key-reused';
    }
  }

  /** Nothing when it is known: its count is newer than what is projected. */
  #addSchedule(schedule: Schedule, available: number): void {
    if (this.#schedules.has(schedule.scheduleId)) return;
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

interface Creation {
  readonly fingerprint: number;
  readonly made: Promise<CreatedOnce | 'key-reused'>;
}

const madeBefore = ({ fingerprint, id }: CreationMark): Creation => ({
  fingerprint,
  made: Promise.resolve({ id, replayed: true }),
});

/** The same map when nothing is new. */
function byId<Id extends number, Entry>(
  known: Map<Id, Entry>,
  read: readonly Entry[],
  idOf: (entry: Entry) => Id,
): Map<Id, Entry> {
  if (read.length === 0) return known;
  const all = new Map([...known, ...read.map((entry) => [idOf(entry), entry] as const)]);
  return new Map([...all].sort(([a], [b]) => a - b));
}
