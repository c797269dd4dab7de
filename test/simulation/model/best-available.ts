import type { Hall, HallSeat, IsFree } from './hall.ts';
import { strandedBy } from './hall.ts';

export interface BestAvailableWish {
  readonly quantity: number;
  readonly category?: string;
  readonly section?: string;
}

/** The free seats that the wish lets through. */
export const eligibleSeats = (hall: Hall, isFree: IsFree, wish: BestAvailableWish): readonly HallSeat[] =>
  hall.seats.filter(
    (seat) =>
      isFree(seat.ordinal) &&
      (wish.category === undefined || seat.category === wish.category) &&
      (wish.section === undefined || seat.section === wish.section),
  );

/**
 * The best run of adjacent seats, by looking at all of them: one that strands no seat if there is any, then
 * the first row in order, then the nearest to the middle of the row, then the lowest ordinal.
 */
export function bestRun(hall: Hall, isFree: IsFree, wish: BestAvailableWish): readonly number[] | undefined {
  const eligible = new Set(eligibleSeats(hall, isFree, wish));
  const runs = hall.seats
    .map((first) => hall.seats.slice(first.ordinal, first.ordinal + wish.quantity))
    .filter(
      (run) =>
        run.length === wish.quantity &&
        run.every((seat) => eligible.has(seat) && seat.stretch === run[0]?.stretch),
    );
  const ordinals = (run: readonly HallSeat[]) => run.map((seat) => seat.ordinal);
  const clean = runs.filter((run) => strandedBy(hall, isFree, ordinals(run)).length === 0);
  const [best] = (clean.length > 0 ? clean : runs).toSorted(
    (a, b) => rank(a) - rank(b) || offMiddle(a) - offMiddle(b),
  );
  return best && ordinals(best);
}

/** The best seats, adjacent or not: the first row in order, then the nearest to the middle of the row. */
export const bestScattered = (hall: Hall, isFree: IsFree, wish: BestAvailableWish): readonly number[] =>
  eligibleSeats(hall, isFree, wish)
    .toSorted((a, b) => rank([a]) - rank([b]) || offMiddle([a]) - offMiddle([b]))
    .slice(0, wish.quantity)
    .map((seat) => seat.ordinal)
    .sort((a, b) => a - b);

const rank = (run: readonly HallSeat[]): number => (run[0] as HallSeat).rowRank;

const offMiddle = (run: readonly HallSeat[]): number => {
  const { indexInRow, rowLength } = run[0] as HallSeat;
  return Math.abs(2 * indexInRow + run.length - rowLength);
};
