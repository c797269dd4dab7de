import type { Socket } from 'node:net';

type Item = Buffer | 'end' | 'reset';

/** Beyond this it reads no more from its source. */
const queuedBytesMax = 1024 * 1024;

const bytesOf = (item: Item) => (typeof item === 'string' ? 0 : item.length);

/** What one side of a proxied connection says to the other: passed on in order, late if asked, or not for now. */
export class ProxiedFlow {
  readonly #source: Socket;
  readonly #target: Socket;
  readonly #queue: { readonly item: Item; readonly dueMs: number }[] = [];
  #queuedBytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #isHanging = false;

  constructor(source: Socket, target: Socket) {
    this.#source = source;
    this.#target = target;
    target.on('drain', () => this.#drain());
  }

  put(item: Item, delayMs: number): void {
    this.#queue.push({ item, dueMs: performance.now() + delayMs });
    this.#queuedBytes += bytesOf(item);
    this.#drain();
    if (this.#queuedBytes > queuedBytesMax) this.#source.pause();
  }

  hang(isHanging: boolean): void {
    this.#isHanging = isHanging;
    this.#drain();
  }

  drop(): void {
    clearTimeout(this.#timer);
    this.#queue.length = 0;
  }

  #drain(): void {
    while (!this.#isHanging && !this.#target.writableNeedDrain) {
      const next = this.#queue[0];
      if (next === undefined) break;
      const waitMs = next.dueMs - performance.now();
      if (waitMs > 0) {
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => this.#drain(), Math.ceil(waitMs));
        break;
      }
      this.#queue.shift();
      this.#queuedBytes -= bytesOf(next.item);
      if (next.item === 'reset') this.#target.destroy();
      else if (next.item === 'end') this.#target.end();
      else this.#target.write(next.item);
    }
    if (this.#queuedBytes <= queuedBytesMax) this.#source.resume();
  }
}
