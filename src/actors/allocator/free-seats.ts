import { assert } from './assert.ts';
import { highestBit, lowestBit } from './bits.ts';
import type { SeatMap } from './seat-map.ts';

/** Longest run that best available can be asked for; the summaries are kept up to it. */
export const adjacentSeatsMax = 20;

/** Run lengths are told apart up to here; longer ones count as this. Above adjacentSeatsMax + 1. */
const runLengthMax = 31;

/**
 * The free seats of one schedule: a two-level bitmap (I11).
 *
 * Level 1 has a bit a seat, in the words of the seat map. Level 2 has, for each run length n, a bit a block:
 * in `fits`, that the block has n adjacent free seats; in `fitsCleanly`, that n seats can be taken there
 * without leaving a single free seat beside them. A run of L free seats can lose n of them cleanly unless
 * L = n + 1: everything else leaves 0, or at least 2 on one side.
 *
 * Owned by the schedule's state; only evolve calls take and release.
 */
export class FreeSeats {
  readonly words: Int32Array;
  readonly #map: SeatMap;
  readonly #fits: readonly Int32Array[];
  readonly #fitsCleanly: readonly Int32Array[];
  /** Bit n of a block's mask = its bit in summary n. */
  readonly #fitMask: Int32Array;
  readonly #cleanMask: Int32Array;
  #count = 0;

  /** All seats free. */
  constructor(map: SeatMap) {
    this.#map = map;
    this.words = new Int32Array(map.wordCount);
    const summary = () => new Int32Array(map.summaryWordCount);
    this.#fits = Array.from({ length: adjacentSeatsMax + 1 }, summary);
    this.#fitsCleanly = Array.from({ length: adjacentSeatsMax + 1 }, summary);
    this.#fitMask = new Int32Array(map.blockCount);
    this.#cleanMask = new Int32Array(map.blockCount);
    for (const bit of map.bitOf)
      this.words[bit >>> 5] = (this.words[bit >>> 5] as number) | (1 << (bit & 31));
    for (let block = 0; block < map.blockCount; block++) this.#summarise(block);
    this.#count = map.seatCount;
  }

  get count(): number {
    return this.#count;
  }

  isFree(ordinal: number): boolean {
    const bit = this.#map.bitOf[ordinal] as number;
    return (((this.words[bit >>> 5] as number) >>> (bit & 31)) & 1) === 1;
  }

  /** Bitmap, a bit a block: blocks with `length` adjacent free seats, 1…adjacentSeatsMax. */
  blocksThatFit(length: number): Int32Array {
    return this.#fits[length] as Int32Array;
  }

  /** The same, where it leaves no single seat behind. */
  blocksThatFitCleanly(length: number): Int32Array {
    return this.#fitsCleanly[length] as Int32Array;
  }

  take(ordinals: readonly number[]): void {
    this.#flip(ordinals, true);
    this.#count -= ordinals.length;
  }

  release(ordinals: readonly number[]): void {
    this.#flip(ordinals, false);
    this.#count += ordinals.length;
  }

  #flip(ordinals: readonly number[], wasFree: boolean): void {
    let pending = -1;
    for (const ordinal of ordinals) {
      const bit = this.#map.bitOf[ordinal] as number;
      const word = this.words[bit >>> 5] as number;
      assert(((word >>> (bit & 31)) & 1) === (wasFree ? 1 : 0), 'I1: a seat is taken once and released once');
      this.words[bit >>> 5] = word ^ (1 << (bit & 31));
      const block = this.#map.blockOfWord[bit >>> 5] as number;
      if (block !== pending && pending !== -1) this.#summarise(pending);
      pending = block;
    }
    if (pending !== -1) this.#summarise(pending);
  }

  #summarise(block: number): void {
    const lengths = this.#runLengths(block);
    const longest = highestBit(lengths);
    const fit = longest < 1 ? 0 : (2 << Math.min(longest, adjacentSeatsMax)) - 2;
    // Only n = longest - 1 can be unclean: any smaller n fits cleanly into the longest run.
    const clean = ((lengths >>> (longest - 1)) & 1) === 1 || longest < 2 ? fit : fit & ~(1 << (longest - 1));
    toggle(this.#fits, (this.#fitMask[block] as number) ^ fit, block);
    toggle(this.#fitsCleanly, (this.#cleanMask[block] as number) ^ clean, block);
    this.#fitMask[block] = fit;
    this.#cleanMask[block] = clean;
  }

  /** Bit n is set when the block has a longest free run of exactly n seats (of at least 31 for n = 31). */
  #runLengths(block: number): number {
    let lengths = 0;
    let open = 0;
    const first = this.#map.blockFirstWord[block] as number;
    const last = first + (((this.#map.blockLength[block] as number) + 31) >>> 5);
    for (let index = first; index < last; index++) {
      let word = this.words[index] as number;
      let bitsLeft = 32;
      while (bitsLeft > 0) {
        const taken = Math.min(lowestBit(word), bitsLeft);
        if (taken > 0) {
          if (open > 0) lengths |= 1 << Math.min(open, runLengthMax);
          open = 0;
          if (taken === bitsLeft) break;
          word >>>= taken;
          bitsLeft -= taken;
        }
        const run = Math.min(lowestBit(~word), bitsLeft);
        open += run;
        bitsLeft -= run;
        word = run === 32 ? 0 : word >>> run;
      }
    }
    if (open > 0) lengths |= 1 << Math.min(open, runLengthMax);
    return lengths;
  }
}

function toggle(summaries: readonly Int32Array[], changed: number, block: number): void {
  const index = block >>> 5;
  const bit = 1 << (block & 31);
  for (let rest = changed; rest !== 0; rest &= rest - 1) {
    const summary = summaries[lowestBit(rest)] as Int32Array;
    summary[index] = (summary[index] as number) ^ bit;
  }
}
