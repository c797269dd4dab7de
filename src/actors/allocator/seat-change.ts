import { assert } from './assert.ts';
import type { ScheduleEvent } from './event.ts';
import type { ScheduleState } from './state.ts';

/** What an event does to the free seats, by ordinal. */
export interface SeatChange {
  readonly seq: number;
  readonly taken: readonly number[];
  readonly freed: readonly number[];
}

const none: readonly number[] = [];

/** @param state before or after the event: a reservation's seats never change. */
export function seatChangeOf(state: ScheduleState, event: ScheduleEvent): SeatChange {
  switch (event.type) {
    case 'held':
    case 'blocked':
      return { seq: event.seq, taken: event.seats, freed: none };
    case 'unblocked':
      return { seq: event.seq, taken: none, freed: event.seats };
    case 'cancelled':
    case 'expired': {
      const reservation = state.reservations.get(event.number);
      assert(reservation !== undefined, 'a reservation that ends is in memory');
      return { seq: event.seq, taken: none, freed: reservation.seats };
    }
    case 'extended':
    case 'paying':
    case 'paid':
    case 'payment-failed':
      return { seq: event.seq, taken: none, freed: none };
  }
}
