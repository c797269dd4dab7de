import type { VenueLayout } from '../actors/allocator/venue-layout.ts';

/** A hall that the store has not given an id yet. */
export type VenueDraft = Omit<VenueLayout, 'venueId'>;
