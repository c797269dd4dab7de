import type { VenueLayout } from '../../../src/actors/allocator/venue-layout.ts';

/** A seat as a person with the plan in hand sees it. */
export interface HallSeat {
  readonly ordinal: number;
  readonly seatId: string;
  readonly category: string;
  readonly section: string;
  /** 0 = the row that best available tries first. */
  readonly rowRank: number;
  readonly indexInRow: number;
  readonly rowLength: number;
  /** Seats of one stretch stand next to each other, in ordinal order; an aisle begins another. */
  readonly stretch: number;
}

export interface Hall {
  readonly layout: VenueLayout;
  readonly seats: readonly HallSeat[];
}

/** By ordinal. */
export type IsFree = (ordinal: number) => boolean;

export function readHall(layout: VenueLayout): Hall {
  const rows = layout.sections.flatMap((section) =>
    section.rows.map((row) => ({ row, section: section.name })),
  );
  const isMeasured = rows.every(({ row }) => row.stageDistance !== undefined);
  const tryOrder = isMeasured
    ? rows.toSorted((a, b) => (a.row.stageDistance as number) - (b.row.stageDistance as number))
    : rows;
  const seats: HallSeat[] = [];
  let stretch = 0;
  for (const entry of rows) {
    for (const [indexInRow, seat] of entry.row.seats.entries()) {
      seats.push({
        ordinal: seats.length,
        seatId: seat.seatId,
        category: seat.category,
        section: entry.section,
        rowRank: tryOrder.indexOf(entry),
        indexInRow,
        rowLength: entry.row.seats.length,
        stretch,
      });
      if (seat.gapAfter === true) stretch += 1;
    }
    stretch += 1;
  }
  return { layout, seats };
}

/** The single free seats that taking `selection` would leave beside it, without a free neighbour. */
export function strandedBy(hall: Hall, isFree: IsFree, selection: readonly number[]): readonly number[] {
  const staysFree = (ordinal: number) => isFree(ordinal) && !selection.includes(ordinal);
  const neighbours = (ordinal: number) =>
    [ordinal - 1, ordinal + 1].filter(
      (other) => hall.seats[other]?.stretch === (hall.seats[ordinal]?.stretch ?? -1),
    );
  const beside = new Set(selection.flatMap(neighbours).filter(staysFree));
  return [...beside].filter((seat) => !neighbours(seat).some(staysFree)).sort((a, b) => a - b);
}
