import { LRUCache } from 'lru-cache';
import type { HeldEvent } from '../../actors/allocator/event.ts';
import { formatReservationId, type ReservationRef, type ScheduleId } from '../../actors/allocator/ids.ts';
import { heldFacts, type ReservationEvent, type ReservationFacts } from './cloud-event.ts';
import type { PublishingSource } from './publishing-source.ts';

/** 25 MB or so, and more than the open reservations of a large drop. */
const reservationsMax = 100_000;

/**
 * Whose the reservations are, and of which seats: all events but `held` tell only the number. Learnt from `held`
 * events as they pass; looked up for those that passed before this process, or too long ago.
 */
export class KnownReservations {
  readonly #source: Pick<PublishingSource, 'findReservations' | 'projectAll'>;
  readonly #known: LRUCache<string, ReservationFacts>;

  constructor(
    source: Pick<PublishingSource, 'findReservations' | 'projectAll'>,
    { entriesMax = reservationsMax }: { readonly entriesMax?: number } = {},
  ) {
    this.#source = source;
    this.#known = new LRUCache({ max: entriesMax });
  }

  learn(scheduleId: ScheduleId, event: HeldEvent): void {
    this.#known.set(formatReservationId(scheduleId, event.number), heldFacts(event));
  }

  get(scheduleId: ScheduleId, { number }: ReservationEvent): ReservationFacts | undefined {
    return this.#known.get(formatReservationId(scheduleId, number));
  }

  /**
   * Looks up what is not known. A projection may not have come that far, so it is waited for once. What is in no
   * projection then stays unknown. Rejects when the store cannot be asked.
   *
   * @returns why the projection could not be waited for, if it could not: that of another schedule has stopped,
   * maybe, and those that were asked for are there all the same.
   */
  async lookUp(refs: readonly ReservationRef[]): Promise<string | undefined> {
    const unknown = new Map<string, ReservationRef>();
    for (const ref of refs) {
      const reservationId = formatReservationId(ref.scheduleId, ref.number);
      // By get: what is about to be used is not the next to be forgotten.
      if (this.#known.get(reservationId) === undefined) unknown.set(reservationId, ref);
    }
    if (unknown.size === 0) return undefined;
    const missing = await this.#find([...unknown.values()]);
    if (missing.length === 0) return undefined;
    let fault: string | undefined;
    await this.#source.projectAll().catch((error: Error) => {
      fault = error.message;
    });
    await this.#find(missing);
    return fault;
  }

  /** @returns those that are in no projection. */
  async #find(refs: readonly ReservationRef[]): Promise<readonly ReservationRef[]> {
    const found = await this.#source.findReservations(refs);
    return refs.filter(({ scheduleId, number }, i) => {
      const reservation = found[i];
      if (reservation === undefined) return true;
      const { userId, seats, totalMinor, heldAtMs } = reservation;
      this.#known.set(formatReservationId(scheduleId, number), { userId, seats, totalMinor, heldAtMs });
      return false;
    });
  }
}
