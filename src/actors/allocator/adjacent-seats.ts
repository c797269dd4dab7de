import { bitsUpTo, highestBit, lowestBit } from './bits.ts';
import type { FreeSeats } from './free-seats.ts';
import type { SeatMap } from './seat-map.ts';

/**
 * Best available. Rows from the stage outwards; in the first row that has room, the run nearest to the
 * middle of the row. A run that strands a single seat is taken only when no other exists anywhere in what
 * was asked for. Ties go to the lower ordinal, so the choice is a function of the state alone.
 *
 * All runs of a word are found at once: `w & (w >>> 1) & …` has a bit where n free seats start.
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
    takeNearestOfBlock(map, free, filter, block, quantity, found);
    block = nextEligible(map, summary, filter, block + 1);
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

/**
 * Where in the block the best `quantity` free seats start, counted from its first seat; -1 where they don't.
 * One pass over the block's words, written out: this is the innermost loop of best available. Exported for
 * its benchmark.
 */
export function bestStart(
  map: SeatMap,
  free: FreeSeats,
  block: number,
  quantity: number,
  filter: SeatFilter,
  clean: boolean,
): number {
  const words = free.words;
  const first = map.blockFirstWord[block] as number;
  const wordCount = ((map.blockLength[block] as number) + 31) >>> 5;
  const middle = map.blockMiddleDoubled[block] as number;
  const isMixed = filter.category !== -1 && map.blockCategory[block] === -1;
  const ideal = (middle - quantity) >> 1;
  // The last start at or before the ideal one, and the first after it: the nearest is one of the two.
  let low = -1;
  let high = -1;
  let previous = 0;
  let own = words[first] as number;
  for (let word = 0; word < wordCount && high === -1; word++) {
    const next = word + 1 < wordCount ? (words[first + word + 1] as number) : 0;
    let starts = own;
    // Bit i stays set while the seats i … i + offset are free.
    for (let offset = 1; offset < quantity; offset++) starts &= (own >>> offset) | (next << (32 - offset));
    if (isMixed) starts &= startsInCategory(map, block, word, quantity, filter.category);
    if (clean) {
      // A free seat on the left (right) with no free seat beyond it would be stranded.
      starts &= ~(((own << 1) | (previous >>> 31)) & ~((own << 2) | (previous >>> 30)));
      const right = (own >>> quantity) | (next << (32 - quantity));
      starts &= ~(right & ~((own >>> (quantity + 1)) | (next << (31 - quantity))));
    }
    const below = starts & bitsUpTo(ideal - word * 32);
    const above = starts ^ below;
    if (below !== 0) low = word * 32 + highestBit(below);
    if (above !== 0) high = word * 32 + lowestBit(above);
    previous = own;
    own = next;
  }
  if (high === -1 || low === ideal) return low;
  if (low === -1) return high;
  return middle - (2 * low + quantity) <= 2 * high + quantity - middle ? low : high;
}

/** Bit i: the seats i … i + quantity - 1 of a block of several categories are of this one. */
function startsInCategory(
  map: SeatMap,
  block: number,
  word: number,
  quantity: number,
  category: number,
): number {
  const words = map.wordsOfCategory(category);
  const index = (map.blockFirstWord[block] as number) + word;
  const own = words[index] as number;
  const next = map.blockOfWord[index + 1] === block ? (words[index + 1] as number) : 0;
  let starts = own;
  for (let offset = 1; offset < quantity; offset++) starts &= (own >>> offset) | (next << (32 - offset));
  return starts;
}

/** Adds the block's eligible seats to `found`, those nearest the middle of the row first. */
function takeNearestOfBlock(
  map: SeatMap,
  free: FreeSeats,
  filter: SeatFilter,
  block: number,
  quantity: number,
  found: number[],
): void {
  const first = map.blockFirstOrdinal[block] as number;
  const seats = Array.from({ length: map.blockLength[block] as number }, (_, index) => index);
  const distance = (index: number) => Math.abs(2 * index + 1 - (map.blockMiddleDoubled[block] as number));
  for (const index of seats.sort((a, b) => distance(a) - distance(b) || a - b)) {
    if (found.length === quantity) return;
    const isEligible = filter.category === -1 || map.categoryOf(first + index) === filter.category;
    if (isEligible && free.isFree(first + index)) found.push(first + index);
  }
}
