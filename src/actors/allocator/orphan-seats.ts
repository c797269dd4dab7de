import type { FreeSeats } from './free-seats.ts';
import type { SeatMap } from './seat-map.ts';

/**
 * The single free seats that taking `selection` would strand: free seats beside it whose other neighbour is
 * taken, selected, or not there. A seat that was single before is not this selection's doing.
 *
 * @param selection ordinals of free seats, each once.
 */
export function strandedSeats(
  map: SeatMap,
  free: FreeSeats,
  selection: readonly number[],
): readonly number[] {
  const stranded = new Set<number>();
  for (const seat of selection) {
    const block = map.blockOf(seat);
    const first = map.blockFirstOrdinal[block] as number;
    const last = first + (map.blockLength[block] as number) - 1;
    const staysFree = (ordinal: number): boolean =>
      ordinal >= first && ordinal <= last && free.isFree(ordinal) && !selection.includes(ordinal);
    for (const neighbour of [seat - 1, seat + 1]) {
      if (!staysFree(neighbour)) continue;
      if (!staysFree(neighbour - 1) && !staysFree(neighbour + 1)) stranded.add(neighbour);
    }
  }
  return [...stranded].sort((a, b) => a - b);
}
