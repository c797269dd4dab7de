import { LRUCache } from 'lru-cache';
import { assert } from '../../actors/allocator/assert.ts';
import type { ScheduleId } from '../../actors/allocator/ids.ts';
import type { CatalogService } from '../../actors/runtime/allocator-service.ts';
import { ReservationWriter } from './reservation-writer.ts';

/** As many as the catalogue keeps compiled halls: a writer holds on to its hall. */
const writersMax = 32;

/** The writers of the schedules that were lately answered about: at hand without a promise. */
export class ReservationWriters {
  readonly #catalog: CatalogService;
  readonly #writers = new LRUCache<ScheduleId, ReservationWriter>({ max: writersMax });
  /** A drop is of one schedule: nearly always the last one is the next one. */
  #lastId: ScheduleId | undefined;
  #last: ReservationWriter | undefined;

  constructor(catalog: CatalogService) {
    this.#catalog = catalog;
  }

  /** Undefined when it has to be made first (`load`). */
  find(scheduleId: ScheduleId): ReservationWriter | undefined {
    if (this.#lastId === scheduleId) return this.#last;
    this.#last = this.#writers.get(scheduleId);
    this.#lastId = this.#last && scheduleId;
    return this.#last;
  }

  /** Of a schedule that exists. Rejects with StoreUnavailable. */
  async load(scheduleId: ScheduleId): Promise<ReservationWriter> {
    const known = this.find(scheduleId);
    if (known !== undefined) return known;
    // Another node may have created it.
    if (this.#catalog.schedule(scheduleId) === undefined) await this.#catalog.learn();
    const map = await this.#catalog.seatMap(scheduleId);
    const schedule = this.#catalog.schedule(scheduleId);
    const performance = schedule && this.#catalog.performance(schedule.performanceId);
    assert(map !== undefined && performance !== undefined, 'a reservation has a schedule and a performance');
    const writer = new ReservationWriter(scheduleId, map, performance);
    this.#writers.set(scheduleId, writer);
    return writer;
  }
}
