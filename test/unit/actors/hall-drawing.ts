import { FreeSeats } from '../../../src/actors/allocator/free-seats.ts';
import type { VenueId } from '../../../src/actors/allocator/ids.ts';
import { SeatMap } from '../../../src/actors/allocator/seat-map.ts';
import type { LayoutRow, LayoutSeat, VenueLayout } from '../../../src/actors/allocator/venue-layout.ts';

/**
 * Halls as drawings. A row is text: a letter is a seat of that category, a space an aisle. Rows are named A,
 * B, C … through the hall and seats numbered within their row, so `'pp pp'` as first row is A1 A2 | A3 A4.
 */
export interface SectionDrawing {
  readonly name: string;
  readonly rows: readonly string[];
  /** By row; absent = the order of the drawing. */
  readonly stageDistances?: readonly number[];
}

export function layoutOf(sections: readonly SectionDrawing[]): VenueLayout {
  let rowsSoFar = 0;
  return {
    venueId: 1 as VenueId,
    name: 'Drawn hall',
    sections: sections.map(({ name, rows, stageDistances }) => ({
      name,
      rows: rows.map((drawing, index) => drawnRow(drawing, rowsSoFar++, stageDistances?.[index])),
    })),
  };
}

/** One section, `stalls`, with these rows. */
export const mapOf = (...rows: readonly string[]): SeatMap =>
  new SeatMap(layoutOf([{ name: 'stalls', rows }]));

/** The free seats as a drawing of the rows in layout order: `.` is free, `x` is not, aisles are left out. */
export function freeOf(map: SeatMap, ...rows: readonly string[]): FreeSeats {
  const drawing = rows.join('').replaceAll(' ', '');
  if (drawing.length !== map.seatCount) throw new Error(`${map.seatCount} seats, ${drawing.length} drawn`);
  const free = new FreeSeats(map);
  free.take([...drawing].flatMap((mark, ordinal) => (mark === 'x' ? [ordinal] : [])));
  return free;
}

export const seatIdsOf = (map: SeatMap, ordinals: readonly number[]): readonly (string | undefined)[] =>
  ordinals.map((ordinal) => map.seatIds[ordinal]);

function drawnRow(drawing: string, rowIndex: number, stageDistance: number | undefined): LayoutRow {
  const name = rowName(rowIndex);
  const seats: LayoutSeat[] = [];
  for (const [at, category] of [...drawing].entries()) {
    if (category === ' ') continue;
    const number = `${seats.length + 1}`;
    const gap = drawing[at + 1] === ' ' ? { gapAfter: true as const } : undefined;
    seats.push({ seatId: `${name}${number}`, number, category, ...gap });
  }
  return { name, seats, ...(stageDistance === undefined ? undefined : { stageDistance }) };
}

/** A … Z, AA, AB … as spreadsheets do. */
function rowName(index: number): string {
  const letter = String.fromCharCode(65 + (index % 26));
  return index < 26 ? letter : rowName(Math.floor(index / 26) - 1) + letter;
}
