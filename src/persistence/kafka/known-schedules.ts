import { LRUCache } from 'lru-cache';
import type { ScheduleId, VenueId } from '../../actors/allocator/ids.ts';
import type { LayoutSection } from '../../actors/allocator/venue-layout.ts';
import type { ScheduleFacts } from './cloud-event.ts';
import type { PublishingSource, ScheduleDescription } from './publishing-source.ts';

const schedulesMax = 10_000;
/** Over all venues: five of the largest, 50 MB or so. */
const seatIdsMax = 1_000_000;

/** What messages need of schedules and their halls, which never change: asked for once, kept in bounds. */
export class KnownSchedules {
  readonly #source: Pick<PublishingSource, 'describeSchedule' | 'venueLayout'>;
  readonly #schedules = new LRUCache<ScheduleId, ScheduleDescription>({ max: schedulesMax });
  readonly #seatIds = new LRUCache<VenueId, readonly string[]>({
    maxSize: seatIdsMax,
    sizeCalculation: ({ length }) => Math.max(1, length),
  });

  constructor(source: Pick<PublishingSource, 'describeSchedule' | 'venueLayout'>) {
    this.#source = source;
  }

  /** Undefined when the node does not know of it. Rejects when the store cannot be asked. */
  async find(scheduleId: ScheduleId): Promise<ScheduleFacts | undefined> {
    const schedule = this.#schedules.get(scheduleId) ?? (await this.#source.describeSchedule(scheduleId));
    if (schedule === undefined) return undefined;
    this.#schedules.set(scheduleId, schedule);
    const seatIds = await this.#seatIdsOf(schedule.venueId);
    return seatIds && { seatIds, currency: schedule.currency };
  }

  async #seatIdsOf(venueId: VenueId): Promise<readonly string[] | undefined> {
    const known = this.#seatIds.get(venueId);
    if (known !== undefined) return known;
    const layout = await this.#source.venueLayout(venueId);
    if (layout === undefined) return undefined;
    const sections: readonly LayoutSection[] = JSON.parse(layout);
    const seatIds = sections.flatMap(({ rows }) =>
      rows.flatMap(({ seats }) => seats.map(({ seatId }) => seatId)),
    );
    this.#seatIds.set(venueId, seatIds);
    return seatIds;
  }
}
