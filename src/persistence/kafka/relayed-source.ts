import type { ReservationRef, ScheduleId, VenueId } from '../../actors/allocator/ids.ts';
import type { SchedulePosition } from '../../actors/runtime/event-outbox.ts';
import { type StoredReservation, StoreUnavailable } from '../../actors/runtime/ports.ts';
import type { OutboxColumns } from '../worker/store-procedures.ts';
import type { FromPublisher, SourceProcedure, ToPublisher } from './publisher-messages.ts';
import type { PublishingSource, ScheduleDescription } from './publishing-source.ts';

interface PendingCall {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** The worker's end of the calls that the main thread relays to the store, which bounds their time. */
export class RelayedSource implements PublishingSource {
  readonly #post: (message: FromPublisher) => void;
  readonly #pending = new Map<number, PendingCall>();
  #nextCallId = 1;

  constructor(post: (message: FromPublisher) => void) {
    this.#post = post;
  }

  settle(message: Extract<ToPublisher, { readonly callId: number }>): void {
    const call = this.#pending.get(message.callId);
    this.#pending.delete(message.callId);
    if (message.kind === 'result') call?.resolve(message.value);
    else call?.reject(new StoreUnavailable(message.message));
  }

  readUnpublished(eventsMax: number): Promise<OutboxColumns> {
    return this.#call('readUnpublished', eventsMax);
  }

  markPublished(positions: readonly SchedulePosition[], events: number): Promise<void> {
    return this.#call('markPublished', positions, events);
  }

  findReservations(refs: readonly ReservationRef[]): Promise<readonly (StoredReservation | undefined)[]> {
    return this.#call('findReservations', refs);
  }

  projectAll(): Promise<void> {
    return this.#call('projectAll');
  }

  describeSchedule(scheduleId: ScheduleId): Promise<ScheduleDescription | undefined> {
    return this.#call('describeSchedule', scheduleId);
  }

  venueLayout(venueId: VenueId): Promise<string | undefined> {
    return this.#call('venueLayout', venueId);
  }

  #call<Name extends SourceProcedure>(
    procedure: Name,
    ...parameters: Parameters<PublishingSource[Name]>
  ): ReturnType<PublishingSource[Name]> {
    const callId = this.#nextCallId++;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#pending.set(callId, { resolve, reject });
    this.#post({ kind: 'call', callId, procedure, parameters });
    return promise as ReturnType<PublishingSource[Name]>;
  }
}
