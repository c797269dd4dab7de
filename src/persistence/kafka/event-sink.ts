import type { ScheduleId } from '../../actors/allocator/ids.ts';
import type { EventMessage } from './cloud-event.ts';

/** Where events go. One call at a time; after one that failed, only `close`. */
export interface EventSink {
  /** Nobody is at the other end any more, as far as is known. */
  readonly isLost: boolean;

  /**
   * Resolves when all messages of the part are stored where a failing broker does not lose them, in their order.
   * When it rejects, any of them may be, now or later. Rejects with MessagesTooLarge when that is why.
   */
  send(part: EventPart): Promise<void>;
  /** Never rejects. Nothing is sent any more once it has resolved. */
  close(): Promise<void>;
}

/** What is sent at once. */
export interface EventPart {
  readonly reservations: readonly EventMessage[];
  readonly seatsReserved: readonly EventMessage[];
  /** Of the journal. */
  readonly events: number;
  /** What is published of each schedule once the part is. */
  readonly positions: ReadonlyMap<ScheduleId, number>;
  /** In the topic that gets more. */
  readonly bytes: number;
  /** One event alone, and still larger than was asked for. */
  readonly isOversize: boolean;
}

/** More than the brokers take at once. */
export class MessagesTooLarge extends Error {
  override name = 'MessagesTooLarge';
}
