import type { VenueId } from './ids.ts';

/**
 * A hall, immutable once it is stored. Its order is the contract: seat i of the layout, counted section by
 * section and row by row, is ordinal i, which is bit i of the free-seat bitmap.
 *
 * Adjacency is decided once, when the hall is imported, and written down here: seats of a row stand next to
 * each other in this order, except across a seat with `gapAfter`.
 */
export interface VenueLayout {
  readonly venueId: VenueId;
  readonly name: string;
  readonly sections: readonly LayoutSection[];
}

export interface LayoutSection {
  readonly name: string;
  readonly rows: readonly LayoutRow[];
}

export interface LayoutRow {
  readonly name: string;
  /**
   * How far the row is from the stage, in any one unit for the whole hall; best available tries near rows
   * first. A hall in which a row lacks it is tried in the order of the layout.
   */
  readonly stageDistance?: number;
  readonly seats: readonly LayoutSeat[];
}

export interface LayoutSeat {
  readonly seatId: string;
  readonly number: string;
  readonly category: string;
  /** An aisle, a wall or a table's edge between this seat and the next of the row. */
  readonly gapAfter?: true;
  /** Position for drawing, in the plan's own unit. */
  readonly x?: number;
  readonly y?: number;
}

export const seatsPerVenueMax = 200_000;
