import { assert } from '../../actors/allocator/assert.ts';
import type { ScheduleId } from '../../actors/allocator/ids.ts';
import type { SeatMap } from '../../actors/allocator/seat-map.ts';
import type { Performance } from '../../actors/runtime/catalog.ts';
import type { ReservationView } from '../../actors/runtime/outcome.ts';
import { formatTimestamp } from '../answer/timestamp.ts';

/**
 * Writes reservations of one schedule as JSON (response-schemas.ts, reservationResponse). By hand, because
 * every hold is answered with one: what is the same for all of them, for the seats of a section or of a
 * category, is written once, and an answer is put together from few pieces.
 */
export class ReservationWriter {
  readonly #map: SeatMap;
  readonly #beforeNumber: string;
  readonly #afterNumber: string;
  readonly #beforeHeldAt: string;
  /** By section and by category of the map: the members that name them. */
  readonly #sections: readonly string[];
  readonly #categories: readonly string[];

  constructor(scheduleId: ScheduleId, map: SeatMap, performance: Performance) {
    const priceOf = new Map(performance.prices.map(({ category, priceMinor }) => [category, priceMinor]));
    this.#map = map;
    this.#beforeNumber = `{"reservationId":"${scheduleId}-`;
    this.#afterNumber = `","scheduleId":${scheduleId},"status":"`;
    this.#beforeHeldAt = `,"currency":${JSON.stringify(performance.currency)},"heldAt":"`;
    this.#sections = map.sections.map((section) => `,"section":${JSON.stringify(section)},"row":`);
    this.#categories = map.categories.map(
      (category) => `,"category":${JSON.stringify(category)},"priceMinor":${priceOf.get(category) ?? 0}}`,
    );
  }

  write(view: ReservationView): string {
    return (
      `${this.#beforeNumber}${view.number}${this.#afterNumber}${view.status}` +
      `","seats":[${this.#writeSeats(view.seats)}],"totalMinor":${view.totalMinor}` +
      `${this.#beforeHeldAt}${formatTimestamp(view.heldAtMs)}` +
      `","expiresAt":"${formatTimestamp(view.expiresAtMs)}` +
      `","expiresInSeconds":${expiresInSeconds(view)}${statusMembers(view)},"seq":${view.seq}}`
    );
  }

  #writeSeats(seats: readonly number[]): string {
    let json = '';
    for (const seat of seats) {
      if (json !== '') json += ',';
      json += this.#writeSeat(seat);
    }
    return json;
  }

  #writeSeat(seat: number): string {
    const map = this.#map;
    return (
      `{"seatId":${JSON.stringify(map.seatIds[seat])}${this.#sections[map.sectionOf(seat)]}` +
      `${JSON.stringify(map.rowName(seat))},"number":${JSON.stringify(map.seatNumber(seat))}` +
      `${this.#categories[map.categoryOf(seat)]}`
    );
  }
}

const expiresInSeconds = ({ status, expiresAtMs, asOfMs }: ReservationView): number =>
  status === 'HELD' ? Math.max(0, Math.floor((expiresAtMs - asOfMs) / 1000)) : 0;

/** What a reservation has for being what it is. A payment's id needs no escape. */
function statusMembers({ status, endedAtMs, paidAtMs, paymentId }: ReservationView): string {
  switch (status) {
    case 'PAYING':
      assert(paymentId !== undefined, 'a payment that is under way has a name');
      return `,"paymentId":"${paymentId}"`;
    case 'PAID':
      assert(paymentId !== undefined, 'a payment that was made has a name');
      return `,"paymentId":"${paymentId}","paidAt":"${formatTimestamp(paidAtMs)}"`;
    case 'CANCELLED':
      return `,"cancelledAt":"${formatTimestamp(endedAtMs)}"`;
    case 'EXPIRED':
      return `,"expiredAt":"${formatTimestamp(endedAtMs)}"`;
    case 'HELD':
      return '';
  }
}
