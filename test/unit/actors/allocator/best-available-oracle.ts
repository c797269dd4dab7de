import type { SeatFilter } from '../../../../src/actors/allocator/adjacent-seats.ts';
import type { SeatMap } from '../../../../src/actors/allocator/seat-map.ts';
import type { LayoutRow, VenueLayout } from '../../../../src/actors/allocator/venue-layout.ts';

/**
 * Best available by looking at every seat of the layout: no words, no blocks, no summaries. What the rules of
 * adjacent-seats.ts say, as plainly as they can be written.
 */
export class BestAvailableOracle {
  readonly #map: SeatMap;
  readonly #rows: readonly OracleRow[];

  constructor(layout: VenueLayout, map: SeatMap) {
    this.#map = map;
    this.#rows = rankedRows(layout);
  }

  /** First ordinal of the best run, or -1. */
  adjacent(isFree: (ordinal: number) => boolean, quantity: number, filter: SeatFilter): number {
    const clean = this.#best(isFree, quantity, filter, true);
    return clean === -1 ? this.#best(isFree, quantity, filter, false) : clean;
  }

  /** Free seats that the filter lets through, row by row in the order of preference. */
  eligibleByRow(isFree: (ordinal: number) => boolean, filter: SeatFilter): readonly (readonly number[])[] {
    return this.#rows.map((row) =>
      row.seats
        .map((_, index) => row.first + index)
        .filter((seat) => isFree(seat) && this.#admits(filter, row, seat)),
    );
  }

  /** Whether taking `quantity` seats from `start` on leaves a single free seat beside them. */
  strands(row: OracleRow, start: number, quantity: number, isFree: (ordinal: number) => boolean): boolean {
    const free = (index: number): boolean =>
      index >= 0 && index < row.seats.length && isFree(row.first + index);
    const isNeighbour = (left: number): boolean =>
      left >= 0 && left + 1 < row.seats.length && row.seats[left]?.gapAfter !== true;
    const end = start + quantity;
    const left = isNeighbour(start - 1) && free(start - 1) && !(isNeighbour(start - 2) && free(start - 2));
    const right = isNeighbour(end - 1) && free(end) && !(isNeighbour(end) && free(end + 1));
    return left || right;
  }

  #best(isFree: (ordinal: number) => boolean, quantity: number, filter: SeatFilter, clean: boolean): number {
    for (const row of this.#rows) {
      let best = -1;
      let bestDistance = Number.POSITIVE_INFINITY;
      for (let start = 0; start + quantity <= row.seats.length; start++) {
        if (!this.#isRun(row, start, quantity, isFree, filter)) continue;
        if (clean && this.strands(row, start, quantity, isFree)) continue;
        const distance = Math.abs(start + quantity / 2 - row.seats.length / 2);
        if (distance >= bestDistance) continue;
        best = row.first + start;
        bestDistance = distance;
      }
      if (best !== -1) return best;
    }
    return -1;
  }

  #isRun(
    row: OracleRow,
    start: number,
    quantity: number,
    isFree: (ordinal: number) => boolean,
    filter: SeatFilter,
  ): boolean {
    for (let index = start; index < start + quantity; index++) {
      const seat = row.first + index;
      if (!isFree(seat) || !this.#admits(filter, row, seat)) return false;
      if (index < start + quantity - 1 && row.seats[index]?.gapAfter === true) return false;
    }
    return true;
  }

  #admits(filter: SeatFilter, row: OracleRow, seat: number): boolean {
    const isOfCategory = filter.category === -1 || this.#map.categoryOf(seat) === filter.category;
    return isOfCategory && (filter.section === -1 || row.section === filter.section);
  }
}

interface OracleRow {
  readonly section: number;
  readonly first: number;
  readonly seats: LayoutRow['seats'];
  readonly stageDistance: number | undefined;
}

/** Near rows first where every row has a distance; equal ones, and halls that lack some, as in the layout. */
function rankedRows(layout: VenueLayout): readonly OracleRow[] {
  let first = 0;
  const rows = layout.sections.flatMap((section, index) =>
    section.rows.map((row): OracleRow => {
      const oracleRow = { section: index, first, seats: row.seats, stageDistance: row.stageDistance };
      first += row.seats.length;
      return oracleRow;
    }),
  );
  if (rows.some((row) => row.stageDistance === undefined)) return rows;
  return rows.sort((a, b) => (a.stageDistance ?? 0) - (b.stageDistance ?? 0) || a.first - b.first);
}
