import type { VenueLayout } from '../actors/allocator/venue-layout.ts';

/** Stored beside the layout, so that lists need not read it. */
export function countSeats({ sections }: Pick<VenueLayout, 'sections'>): number {
  let seats = 0;
  for (const { rows } of sections) for (const row of rows) seats += row.seats.length;
  return seats;
}
