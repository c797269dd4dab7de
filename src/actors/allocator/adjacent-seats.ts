import { bitsUpTo, lowestBit } from './bits.ts';
import type { FreeSeats } from './free-seats.ts';
import { nearestRun } from './nearest-run.ts';
import type { SeatMap } from './seat-map.ts';

/**
 * Best available. Rows from the stage outwards; in the first row that has room, the run nearest to the
 * middle of the row. A run that strands a single seat is taken only when no other exists anywhere in what
 * was asked for. Ties go to the lower ordinal, so the choice is a function of the state alone.
 */
export interface SeatFilter {
  /** Index into the map's categories, or -1 for any. */
  readonly category: number;
  /** Index into the map's sections, or -1 for any. */
  readonly section: number;
}

export const anySeat: SeatFilter = { category: -1, section: -1 };

/** First ordinal of the best `quantity` adjacent free seats; -1 when there are none. */
export function findAdjacentSeats(
  map: SeatMap,
  free: FreeSeats,
  quantity: number,
  filter: SeatFilter,
): number {
  const clean = search(map, free, quantity, filter, true);
  return clean !== -1 ? clean : search(map, free, quantity, filter, false);
}

/**
 * The best `quantity` free seats, adjacent or not, by ordinal; undefined when there are not that many. The
 * seats nearest to the stage and the middle of their row, one by one.
 */
export function findScatteredSeats(
  map: SeatMap,
  free: FreeSeats,
  quantity: number,
  filter: SeatFilter,
): readonly number[] | undefined {
  const found: number[] = [];
  const summary = free.blocksThatFit(1);
  let block = nextEligible(map, summary, filter, 0);
  while (block !== -1 && found.length < quantity) {
    takeNearestOfRow(map, free, filter, block, quantity, found);
    block = nextEligible(map, summary, filter, (map.blockRowLast[block] as number) + 1);
  }
  return found.length === quantity ? found.sort((a, b) => a - b) : undefined;
}

/** Whether any seat that the filter lets through is free. */
export function hasFreeSeat(map: SeatMap, free: FreeSeats, filter: SeatFilter): boolean {
  return findScatteredSeats(map, free, 1, filter) !== undefined;
}

function search(map: SeatMap, free: FreeSeats, quantity: number, filter: SeatFilter, clean: boolean): number {
  const summary = clean ? free.blocksThatFitCleanly(quantity) : free.blocksThatFit(quantity);
  let block = nextEligible(map, summary, filter, 0);
  while (block !== -1) {
    const found = searchRow(map, free, quantity, filter, clean, summary, block);
    if (found !== -1) return found;
    block = nextEligible(map, summary, filter, (map.blockRowLast[block] as number) + 1);
  }
  return -1;
}

/** First block from `from` on that the summary and the filter let through; -1 when none is left. */
function nextEligible(map: SeatMap, summary: Int32Array, filter: SeatFilter, from: number): number {
  let index = from >>> 5;
  if (index >= map.summaryWordCount) return -1;
  let blocks = eligible(map, summary, filter, index) & ~bitsUpTo((from & 31) - 1);
  while (blocks === 0) {
    index += 1;
    if (index >= map.summaryWordCount) return -1;
    blocks = eligible(map, summary, filter, index);
  }
  return index * 32 + lowestBit(blocks);
}

/** The words of the summaries and of the filter, combined. */
function eligible(map: SeatMap, summary: Int32Array, filter: SeatFilter, index: number): number {
  let blocks = summary[index] as number;
  if (filter.category !== -1) blocks &= map.blocksOfCategory(filter.category)[index] as number;
  if (filter.section !== -1) blocks &= map.blocksOfSection(filter.section)[index] as number;
  return blocks;
}

/** Nearest the middle of the row, among the row's blocks from `firstBlock` on. */
function searchRow(
  map: SeatMap,
  free: FreeSeats,
  quantity: number,
  filter: SeatFilter,
  clean: boolean,
  summary: Int32Array,
  firstBlock: number,
): number {
  let best = -1;
  let bestDistance = 0x7fffffff;
  const last = map.blockRowLast[firstBlock] as number;
  for (let block = firstBlock; block <= last; block++) {
    if (((eligible(map, summary, filter, block >>> 5) >>> (block & 31)) & 1) === 0) continue;
    const start = bestStart(map, free, block, quantity, filter, clean);
    if (start === -1) continue;
    const distance = Math.abs(2 * start + quantity - (map.blockMiddleDoubled[block] as number));
    if (distance >= bestDistance) continue;
    bestDistance = distance;
    best = (map.blockFirstOrdinal[block] as number) + start;
  }
  return best;
}

/** Where in the block the best `quantity` free seats start, counted from its first seat; -1 where they don't. */
function bestStart(
  map: SeatMap,
  free: FreeSeats,
  block: number,
  quantity: number,
  filter: SeatFilter,
  clean: boolean,
): number {
  const isMixed = filter.category !== -1 && map.blockCategory[block] === -1;
  return nearestRun(
    free.words,
    isMixed ? map.wordsOfCategory(filter.category) : undefined,
    map.blockFirstWord[block] as number,
    ((map.blockLength[block] as number) + 31) >>> 5,
    quantity,
    map.blockMiddleDoubled[block] as number,
    clean,
  );
}

/** Adds the row's eligible seats, from `firstBlock` on, to `found`: those nearest the middle of the row first. */
function takeNearestOfRow(
  map: SeatMap,
  free: FreeSeats,
  filter: SeatFilter,
  firstBlock: number,
  quantity: number,
  found: number[],
): void {
  const seats: { readonly ordinal: number; readonly distance: number }[] = [];
  const last = map.blockRowLast[firstBlock] as number;
  for (let block = firstBlock; block <= last; block++) {
    const first = map.blockFirstOrdinal[block] as number;
    for (let index = 0; index < (map.blockLength[block] as number); index++) {
      const ordinal = first + index;
      const isEligible = filter.category === -1 || map.categoryOf(ordinal) === filter.category;
      if (!isEligible || !free.isFree(ordinal)) continue;
      seats.push({ ordinal, distance: Math.abs(2 * index + 1 - (map.blockMiddleDoubled[block] as number)) });
    }
  }
  seats.sort((a, b) => a.distance - b.distance || a.ordinal - b.ordinal);
  for (const { ordinal } of seats.slice(0, quantity - found.length)) found.push(ordinal);
}
