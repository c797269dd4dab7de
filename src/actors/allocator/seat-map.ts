import { assert } from './assert.ts';
import type { VenueId } from './ids.ts';
import { type LayoutRow, type LayoutSeat, seatsPerVenueMax, type VenueLayout } from './venue-layout.ts';

/**
 * A hall, compiled once per venue for the searches of the allocator and shared by all of its schedules.
 *
 * A seat is known by its **ordinal**, its place in the layout. A **block** is a longest run of adjacent
 * seats in a row: aisles end it. Blocks are numbered in the order in which best available tries them, so
 * that the first set bit of a summary word is the best block: rows from the stage outwards, and the blocks
 * of a row together. Each block starts a fresh 32-bit **word**, so that a run never has to be looked for
 * across a word's edge unless its block has more than 32 seats.
 */
export class SeatMap {
  readonly venueId: VenueId;
  readonly name: string;
  readonly seatCount: number;

  /** By ordinal. */
  readonly seatIds: readonly string[];
  readonly sections: readonly string[];
  readonly categories: readonly string[];

  readonly blockCount: number;
  readonly wordCount: number;
  /** Bit position (word × 32 + bit) by ordinal. */
  readonly bitOf: Int32Array;
  readonly blockOfWord: Int32Array;
  readonly blockFirstWord: Int32Array;
  readonly blockFirstOrdinal: Int32Array;
  readonly blockLength: Int32Array;
  /** Last block of the block's row: the blocks from one to its row's last are what is left of the row. */
  readonly blockRowLast: Int32Array;
  /** Twice the distance from the block's first seat's left edge to the middle of the row, in seats. */
  readonly blockMiddleDoubled: Int32Array;
  /** Category of all of the block's seats, or -1 where they differ. */
  readonly blockCategory: Int16Array;
  /** Words of a bitmap with a bit a block. */
  readonly summaryWordCount: number;

  readonly #categoryOf: Int16Array;
  readonly #sectionOf: Int16Array;
  readonly #rowOf: Int32Array;
  readonly #rowNames: readonly string[];
  readonly #numbers: readonly string[];
  readonly #ordinalBySeatId: ReadonlyMap<string, number>;
  readonly #blocksOfCategory: readonly Int32Array[];
  readonly #blocksOfSection: readonly Int32Array[];
  readonly #wordsOfCategory: readonly Int32Array[];

  /** The layout must have passed the import's checks: unique seat ids, 1…seatsPerVenueMax seats. */
  constructor(layout: VenueLayout) {
    const rows = listRows(layout);
    const seats = rows.flatMap((row) => row.seats);
    const seatCount = seats.length;
    assert(seatCount >= 1, 'a venue has at least one seat');
    assert(seatCount <= seatsPerVenueMax, 'a venue has at most 200,000 seats');

    this.venueId = layout.venueId;
    this.name = layout.name;
    this.seatCount = seatCount;
    this.seatIds = seats.map((seat) => seat.seatId);
    this.sections = layout.sections.map((section) => section.name);
    this.categories = [...new Set(seats.map((seat) => seat.category))];
    this.#ordinalBySeatId = new Map(this.seatIds.map((seatId, ordinal) => [seatId, ordinal]));
    assert(this.#ordinalBySeatId.size === seatCount, 'seat ids are unique in a venue');

    const categoryIndex = new Map(this.categories.map((category, index) => [category, index]));
    this.#categoryOf = Int16Array.from(seats, (seat) => categoryIndex.get(seat.category) as number);
    this.#numbers = seats.map((seat) => seat.number);
    this.#rowNames = rows.map((row) => row.name);
    this.#sectionOf = Int16Array.from(rows.flatMap((row) => row.seats.map(() => row.section)));
    this.#rowOf = Int32Array.from(rows.flatMap((row, index) => row.seats.map(() => index)));

    const blocks = blocksInOrderOfPreference(rows);
    this.blockCount = blocks.length;
    this.summaryWordCount = (blocks.length + 31) >>> 5;
    this.blockFirstOrdinal = Int32Array.from(blocks, (block) => block.firstOrdinal);
    this.blockLength = Int32Array.from(blocks, (block) => block.length);
    this.blockMiddleDoubled = Int32Array.from(blocks, (block) => block.middleDoubled);
    this.blockRowLast = new Int32Array(blocks.length);
    this.blockFirstWord = new Int32Array(blocks.length);
    this.blockCategory = new Int16Array(blocks.length);
    this.bitOf = new Int32Array(seatCount);

    let wordCount = 0;
    for (const [index, block] of blocks.entries()) {
      this.blockFirstWord[index] = wordCount;
      for (let i = 0; i < block.length; i++) this.bitOf[block.firstOrdinal + i] = wordCount * 32 + i;
      wordCount += (block.length + 31) >>> 5;
    }
    this.wordCount = wordCount;
    this.blockOfWord = new Int32Array(wordCount);
    this.#blocksOfCategory = this.categories.map(() => new Int32Array(this.summaryWordCount));
    this.#blocksOfSection = this.sections.map(() => new Int32Array(this.summaryWordCount));
    this.#wordsOfCategory = this.categories.map(() => new Int32Array(wordCount));
    this.#indexBlocks(blocks);
  }

  #indexBlocks(blocks: readonly Block[]): void {
    let rowLast = blocks.length - 1;
    for (let index = blocks.length - 1; index >= 0; index--) {
      const block = blocks[index] as Block;
      if (block.row !== blocks[rowLast]?.row) rowLast = index;
      this.blockRowLast[index] = rowLast;

      const firstWord = this.blockFirstWord[index] as number;
      this.blockOfWord.fill(index, firstWord, firstWord + ((block.length + 31) >>> 5));
      setBit(this.#blocksOfSection[this.sectionOf(block.firstOrdinal)] as Int32Array, index);
      const first = this.categoryOf(block.firstOrdinal);
      this.blockCategory[index] = first;
      for (let i = 0; i < block.length; i++) {
        const category = this.categoryOf(block.firstOrdinal + i);
        if (category !== first) this.blockCategory[index] = -1;
        setBit(this.#blocksOfCategory[category] as Int32Array, index);
        setBit(this.#wordsOfCategory[category] as Int32Array, this.bitOf[block.firstOrdinal + i] as number);
      }
    }
  }

  /** Undefined for an unknown seat. */
  ordinalOf(seatId: string): number | undefined {
    return this.#ordinalBySeatId.get(seatId);
  }

  /** Index into `categories`. */
  categoryOf(ordinal: number): number {
    return this.#categoryOf[ordinal] as number;
  }

  /** Index into `sections`. */
  sectionOf(ordinal: number): number {
    return this.#sectionOf[ordinal] as number;
  }

  rowName(ordinal: number): string {
    return this.#rowNames[this.#rowOf[ordinal] as number] as string;
  }

  seatNumber(ordinal: number): string {
    return this.#numbers[ordinal] as string;
  }

  blockOf(ordinal: number): number {
    return this.blockOfWord[(this.bitOf[ordinal] as number) >>> 5] as number;
  }

  /** Bitmap, a bit a block, of the blocks that have a seat of the category. */
  blocksOfCategory(category: number): Int32Array {
    return this.#blocksOfCategory[category] as Int32Array;
  }

  blocksOfSection(section: number): Int32Array {
    return this.#blocksOfSection[section] as Int32Array;
  }

  /** Bitmap in seat bits (`bitOf`) of the seats of the category. */
  wordsOfCategory(category: number): Int32Array {
    return this.#wordsOfCategory[category] as Int32Array;
  }
}

interface Row {
  readonly section: number;
  readonly name: string;
  readonly stageDistance: number | undefined;
  readonly firstOrdinal: number;
  readonly seats: readonly LayoutSeat[];
}

interface Block {
  readonly row: Row;
  readonly firstOrdinal: number;
  readonly length: number;
  readonly middleDoubled: number;
}

function listRows(layout: VenueLayout): readonly Row[] {
  const rows: Row[] = [];
  let firstOrdinal = 0;
  for (const [section, { rows: layoutRows }] of layout.sections.entries()) {
    for (const row of layoutRows) {
      rows.push(toRow(row, section, firstOrdinal));
      firstOrdinal += row.seats.length;
    }
  }
  return rows;
}

const toRow = (row: LayoutRow, section: number, firstOrdinal: number): Row => ({
  section,
  name: row.name,
  stageDistance: row.stageDistance,
  firstOrdinal,
  seats: row.seats,
});

function blocksInOrderOfPreference(rows: readonly Row[]): readonly Block[] {
  const isMeasured = rows.every((row) => row.stageDistance !== undefined);
  const ordered = isMeasured
    ? rows.toSorted((a, b) => (a.stageDistance as number) - (b.stageDistance as number))
    : rows;
  return ordered.flatMap(blocksOfRow);
}

function blocksOfRow(row: Row): readonly Block[] {
  const blocks: Block[] = [];
  let start = 0;
  for (const [index, seat] of row.seats.entries()) {
    if (seat.gapAfter !== true && index < row.seats.length - 1) continue;
    blocks.push({
      row,
      firstOrdinal: row.firstOrdinal + start,
      length: index + 1 - start,
      middleDoubled: row.seats.length - 2 * start,
    });
    start = index + 1;
  }
  return blocks;
}

function setBit(words: Int32Array, bit: number): void {
  words[bit >>> 5] = (words[bit >>> 5] as number) | (1 << (bit & 31));
}
