import { isLive, type Reservation, reservationStatuses } from '../allocator/reservation.ts';
import type { ScheduleState } from '../allocator/state.ts';

/**
 * 32 bits that two states of one schedule have in common when they would answer alike: position, free seats, live
 * reservations. FNV-1a (Fowler, Noll, Vo) over words; a difference goes unseen once in 4 billion. O(seats + live).
 */
export function fingerprintOf(state: ScheduleState): number {
  let hash = 0x811c9dc5;
  const add = (value: number) => {
    hash = Math.imul(hash ^ (value | 0), 0x01000193);
    hash = Math.imul(hash ^ Math.trunc(value / 0x1_0000_0000), 0x01000193);
  };
  add(state.seq);
  add(state.lastAtMs);
  add(state.lastReservationNumber);
  for (const word of state.free.words) add(word);
  // The order of a map is that of its history, which a recovered state does not share: each counts by itself.
  let reservations = 0;
  for (const reservation of state.reservations.values()) {
    if (isLive(reservation.status)) reservations = (reservations + ofReservation(reservation)) | 0;
  }
  add(reservations);
  return hash >>> 0;
}

function ofReservation({ number, seq, status, expiresAtMs, totalMinor, seats }: Reservation): number {
  let taken = 0;
  // Nor does a store say in which order seats were taken.
  for (const seat of seats) taken = (taken + mixed(seat, seat)) | 0;
  const terms = mixed(totalMinor, mixed(expiresAtMs, taken));
  return mixed(number, mixed(seq, mixed(reservationStatuses.indexOf(status), terms)));
}

function mixed(first: number, second: number): number {
  let hash = Math.imul(first ^ Math.trunc(first / 0x1_0000_0000), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13) ^ second, 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
