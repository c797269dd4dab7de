import type { ReservationRef, ScheduleId, VenueId } from '../../actors/allocator/ids.ts';
import type { SchedulePosition } from '../../actors/runtime/event-outbox.ts';
import type { StoredReservation } from '../../actors/runtime/ports.ts';
import type { OutboxColumns } from '../worker/store-procedures.ts';

/**
 * What publishing needs of the node: its outbox, and what events do not say themselves. Each call ends, as the
 * store's do, and rejects when the store cannot be used now.
 */
export interface PublishingSource {
  /** As EventOutbox, in columns. */
  readUnpublished(eventsMax: number): Promise<OutboxColumns>;
  /** As EventOutbox. `events`: how many of them were sent to get there. */
  markPublished(positions: readonly SchedulePosition[], events: number): Promise<void>;
  /** In the order of `refs`; undefined for one that is in no projection (yet). */
  findReservations(refs: readonly ReservationRef[]): Promise<readonly (StoredReservation | undefined)[]>;
  projectAll(): Promise<void>;
  describeSchedule(scheduleId: ScheduleId): Promise<ScheduleDescription | undefined>;
  /** JSON of the venue's sections. */
  venueLayout(venueId: VenueId): Promise<string | undefined>;
}

export interface ScheduleDescription {
  readonly venueId: VenueId;
  /** ISO 4217. */
  readonly currency: string;
}
