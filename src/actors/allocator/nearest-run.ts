import { bitsUpTo, highestBit } from './bits.ts';

/**
 * The run of `quantity` free seats whose middle is nearest to the middle of the row, in one block of adjacent
 * seats; ties go to the lower seat. Returns the index of its first seat in the block, or -1.
 *
 * All runs of a word are found at once: `w & (w >>> 1) & …` has bit i where the seats i, i + 1, … are free.
 * The innermost loop of best available, so it is written out and takes no objects.
 *
 * @param words bit i of words[first + w] = seat 32w + i of the block is free; bits beyond its end are 0.
 * @param allowed the same for the seats that may be taken; undefined = all of them.
 * @param quantity 1…20.
 * @param middleDoubled twice the distance, in seats, from the block's first seat to the middle of the row.
 * @param clean only runs beside which no single free seat is left.
 */
export function nearestRun(
  words: Int32Array,
  allowed: Int32Array | undefined,
  first: number,
  wordCount: number,
  quantity: number,
  middleDoubled: number,
  clean: boolean,
): number {
  const ideal = (middleDoubled - quantity) >> 1;
  // The last start at or before the ideal one, and the first after it: the nearest is one of the two.
  let low = -1;
  let high = -1;
  let previous = 0;
  let own = words[first] as number;
  for (let word = 0; word < wordCount && high === -1; word++) {
    const next = word + 1 < wordCount ? (words[first + word + 1] as number) : 0;
    let starts = own;
    for (let offset = 1; offset < quantity; offset++) starts &= (own >>> offset) | (next << (32 - offset));
    if (allowed !== undefined) starts &= allowedStarts(allowed, first + word, word + 1 < wordCount, quantity);
    if (clean) {
      // A free seat on the left (right) with no free seat beyond it would be stranded.
      starts &= ~(((own << 1) | (previous >>> 31)) & ~((own << 2) | (previous >>> 30)));
      const right = (own >>> quantity) | (next << (32 - quantity));
      starts &= ~(right & ~((own >>> (quantity + 1)) | (next << (31 - quantity))));
    }
    const below = starts & bitsUpTo(ideal - word * 32);
    const above = starts ^ below;
    if (below !== 0) low = word * 32 + highestBit(below);
    if (above !== 0) high = word * 32 + 31 - Math.clz32(above & -above);
    previous = own;
    own = next;
  }
  if (high === -1) return low;
  if (low === -1) return high;
  return middleDoubled - (2 * low + quantity) <= 2 * high + quantity - middleDoubled ? low : high;
}

function allowedStarts(allowed: Int32Array, index: number, hasNext: boolean, quantity: number): number {
  const own = allowed[index] as number;
  const next = hasNext ? (allowed[index + 1] as number) : 0;
  let starts = own;
  for (let offset = 1; offset < quantity; offset++) starts &= (own >>> offset) | (next << (32 - offset));
  return starts;
}
