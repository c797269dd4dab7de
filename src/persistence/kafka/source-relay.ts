import type { ReservationRef, ScheduleId, VenueId } from '../../actors/allocator/ids.ts';
import type { EventOutbox, SchedulePosition } from '../../actors/runtime/event-outbox.ts';
import type { Store, StoredReservation } from '../../actors/runtime/ports.ts';
import type { OutboxColumns, VenueRow } from '../worker/store-procedures.ts';
import type { PublishingSource, ScheduleDescription } from './publishing-source.ts';

/** What publishing needs of the store: a WorkerStore. */
export interface PublisherStore
  extends Pick<Store, 'findReservation' | 'projectAll'>,
    Pick<EventOutbox, 'markPublished'> {
  readUnpublishedColumns(eventsMax: number): Promise<OutboxColumns>;
  loadVenueRow(venueId: VenueId): Promise<VenueRow | undefined>;
}

/** Of a schedule that another node has created the catalogue may have to learn first. */
export type ScheduleOf = (
  scheduleId: ScheduleId,
) => ScheduleDescription | undefined | Promise<ScheduleDescription | undefined>;

/** Look-ups of reservations that the store has at a time: a commit waits for so many at most. */
const lookUpsMax = 50;

/** PublishingSource on the main thread: hands on what it is given, as it is, and counts. */
export class SourceRelay implements PublishingSource {
  readonly #store: PublisherStore;
  readonly #scheduleOf: ScheduleOf;
  readonly #onPublished: (events: number) => void;
  #backlogEvents: number | undefined;

  constructor(options: SourceRelayOptions) {
    this.#store = options.store;
    this.#scheduleOf = options.scheduleOf;
    this.#onPublished = options.onPublished;
  }

  /** Committed and not yet published, when it was last known. */
  get backlogEvents(): number | undefined {
    return this.#backlogEvents;
  }

  async readUnpublished(eventsMax: number): Promise<OutboxColumns> {
    const chunk = await this.#store.readUnpublishedColumns(eventsMax);
    this.#backlogEvents = chunk.backlogEvents;
    return chunk;
  }

  async markPublished(positions: readonly SchedulePosition[], events: number): Promise<void> {
    await this.#store.markPublished(positions);
    if (this.#backlogEvents !== undefined) this.#backlogEvents = Math.max(0, this.#backlogEvents - events);
    this.#onPublished(events);
  }

  async findReservations(
    refs: readonly ReservationRef[],
  ): Promise<readonly (StoredReservation | undefined)[]> {
    const found: (StoredReservation | undefined)[] = [];
    for (let from = 0; from < refs.length; from += lookUpsMax) {
      const some = refs.slice(from, from + lookUpsMax);
      const answers = some.map(({ scheduleId, number }) => this.#store.findReservation(scheduleId, number));
      found.push(...(await Promise.all(answers)));
    }
    return found;
  }

  projectAll(): Promise<void> {
    return this.#store.projectAll();
  }

  async describeSchedule(scheduleId: ScheduleId): Promise<ScheduleDescription | undefined> {
    return this.#scheduleOf(scheduleId);
  }

  async venueLayout(venueId: VenueId): Promise<string | undefined> {
    return (await this.#store.loadVenueRow(venueId))?.layout;
  }
}

interface SourceRelayOptions {
  readonly store: PublisherStore;
  /** From the catalogue; undefined for a schedule that there is not. Rejects when the store can't say so now. */
  readonly scheduleOf: ScheduleOf;
  readonly onPublished: (events: number) => void;
}
