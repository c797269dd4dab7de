import type { Point } from './point.ts';
import { lowerMedian, physicalOrder, stepsOf } from './row-order.ts';
import { parseSeatNumber, runsOn, strideOf } from './seat-number.ts';

/**
 * Which seats of a row stand next to each other (docs/seating-plans.md has the pictures). Positions decide
 * where they can; numbers decide where they cannot.
 *
 * Order: the shortest walk past the seats (row-order.ts). It starts at the lower number when it is not the
 * order in which the plan lists them.
 *
 * Two seats that follow each other have a gap between them when
 *   G1 the plan puts them into different segments of the row (`segment_breaks`), or
 *   G2 the step between them is more than 1.6 × the row's pitch, or
 *   G3 the step is more than 3 × the hall's pitch, or
 *   G4 the step is more than 1.6 × the hall's pitch and their numbers do not run on.
 * The row's pitch is the lower median of its steps, the hall's that of all steps of all rows. G3 and G4 are
 * for rows that have nothing but wide steps: single seats between aisles, two seats at the two walls.
 *
 * A row without a position for every seat, or with at least half of its steps zero, keeps the order of the
 * plan; there is a gap by G1, or (G5) where numbers do not run on.
 */
export interface RowSeat {
  readonly number: string;
  /** Seats of a row in different segments are never adjacent. */
  readonly segment: number;
  readonly at: Point | undefined;
}

const gapFactor = 1.6;
const hallGapFactor = 3;

export interface RowWalk {
  /** Indexes of the row's seats, in the order in which they stand. */
  readonly order: readonly number[];
  /** steps[i] is the distance from order[i] to order[i + 1]; undefined when positions tell nothing. */
  readonly steps: readonly number[] | undefined;
}

export function walkRow(seats: readonly RowSeat[]): RowWalk {
  const points = seats.flatMap((seat) => seat.at ?? []);
  if (points.length < seats.length) return asListed(seats);
  const order = towardsHigherNumbers(seats, physicalOrder(points));
  const steps = stepsOf(points, order);
  return steps.length > 0 && lowerMedian(steps) === 0 ? asListed(seats) : { order, steps };
}

/** Zero when no row has positions that tell anything. */
export const hallPitch = (walks: readonly RowWalk[]): number =>
  lowerMedian(walks.flatMap((walk) => walk.steps ?? []).filter((step) => step > 0));

/** gaps[i] is whether there is a gap between order[i] and order[i + 1] of the walk. */
export function gapsOf(seats: readonly RowSeat[], walk: RowWalk, hallPitch: number): readonly boolean[] {
  const ordered = walk.order.map((index) => seats[index] as RowSeat);
  const numbers = ordered.map((seat) => parseSeatNumber(seat.number));
  const stride = strideOf(numbers);
  const rowPitch = walk.steps === undefined ? 0 : lowerMedian(walk.steps);
  const gaps: boolean[] = [];
  for (let i = 0; i + 1 < ordered.length; i++) {
    const areInOneSegment = ordered[i]?.segment === ordered[i + 1]?.segment;
    const isNextNumber = runsOn(numbers[i], numbers[i + 1], stride);
    gaps.push(!areInOneSegment || isGap(walk.steps?.[i], rowPitch, hallPitch, isNextNumber));
  }
  return gaps;
}

function isGap(
  step: number | undefined,
  rowPitch: number,
  hallPitch: number,
  isNextNumber: boolean,
): boolean {
  if (step === undefined) return !isNextNumber;
  if (step > gapFactor * rowPitch || step > hallGapFactor * hallPitch) return true;
  return step > gapFactor * hallPitch && !isNextNumber;
}

const asListed = (seats: readonly RowSeat[]): RowWalk => ({
  order: seats.map((_, index) => index),
  steps: undefined,
});

function towardsHigherNumbers(seats: readonly RowSeat[], order: readonly number[]): readonly number[] {
  if (order.every((seat, place) => seat === place)) return order;
  const firstSeat = order[0] as number;
  const lastSeat = order[order.length - 1] as number;
  const first = parseSeatNumber((seats[firstSeat] as RowSeat).number);
  const last = parseSeatNumber((seats[lastSeat] as RowSeat).number);
  const isAscending =
    first !== undefined && last !== undefined && first.series === last.series && first.value !== last.value
      ? first.value < last.value
      : firstSeat < lastSeat;
  return isAscending ? order : order.toReversed();
}
