import { assert } from '../allocator/assert.ts';
import { popCount } from '../allocator/bits.ts';
import type { SeatChange } from '../allocator/seat-change.ts';
import type { SeatMap } from '../allocator/seat-map.ts';

/**
 * The free seats of a schedule as of its last durable event: what may be shown at once (I9).
 *
 * Owned by the actor, which applies each change when its batch is on disk. Readers ask for `seq` first and
 * keep what they made of it until `seq` moves.
 */
export class AvailabilityView {
  readonly map: SeatMap;
  /** Bit i = seat i of the layout, unlike the padded words of the allocator. */
  readonly #words: Int32Array;
  /** The ids of a word's free seats as JSON, comma-separated; undefined where the word has changed. */
  readonly #idsOfWord: (string | undefined)[];
  #seq: number;
  #available: number;

  /** @param isFree by ordinal, as of `seq`. */
  constructor(map: SeatMap, seq: number, isFree: (ordinal: number) => boolean) {
    this.map = map;
    this.#seq = seq;
    this.#words = new Int32Array((map.seatCount + 31) >>> 5);
    this.#idsOfWord = new Array(this.#words.length).fill(undefined);
    for (let ordinal = 0; ordinal < map.seatCount; ordinal++) if (isFree(ordinal)) this.#flip(ordinal);
    this.#available = this.#words.reduce((sum, word) => sum + popCount(word), 0);
  }

  /** The last durable seq; 0 before the first event. */
  get seq(): number {
    return this.#seq;
  }

  get available(): number {
    return this.#available;
  }

  get capacity(): number {
    return this.map.seatCount;
  }

  apply(change: SeatChange): void {
    assert(change.seq === this.#seq + 1, 'I6: changes are applied in seq order');
    this.#seq = change.seq;
    for (const ordinal of change.taken) this.#flip(ordinal);
    for (const ordinal of change.freed) this.#flip(ordinal);
    this.#available += change.freed.length - change.taken.length;
  }

  isFree(ordinal: number): boolean {
    return (((this.#words[ordinal >>> 5] as number) >>> (ordinal & 31)) & 1) === 1;
  }

  /** A copy of the bitmap: bit i = seat i, little-endian within bytes, ceil(capacity / 8) bytes. */
  toBitmap(): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array((this.capacity + 7) >>> 3);
    for (let i = 0; i < bytes.length; i++) {
      bytes[i] = ((this.#words[i >>> 2] as number) >>> ((i & 3) * 8)) & 0xff;
    }
    return bytes;
  }

  /** JSON array of the free seats' ids in layout order; only words that changed are written anew. */
  toSeatIdsJson(): string {
    const parts: string[] = [];
    for (let index = 0; index < this.#words.length; index++) {
      const ids = this.#idsOfWord[index] ?? this.#writeWord(index);
      if (ids !== '') parts.push(ids);
    }
    return `[${parts.join(',')}]`;
  }

  #flip(ordinal: number): void {
    const index = ordinal >>> 5;
    this.#words[index] = (this.#words[index] as number) ^ (1 << (ordinal & 31));
    this.#idsOfWord[index] = undefined;
  }

  #writeWord(index: number): string {
    const word = this.#words[index] as number;
    const ids: string[] = [];
    for (let bit = 0; bit < 32; bit++) {
      if (((word >>> bit) & 1) === 1) ids.push(JSON.stringify(this.map.seatIds[index * 32 + bit]));
    }
    const json = ids.join(',');
    this.#idsOfWord[index] = json;
    return json;
  }
}
