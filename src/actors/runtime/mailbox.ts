/** A bounded first-in-first-out queue. A full one says so; nothing waits without a bound. */
export class Mailbox<T> {
  readonly #capacity: number;
  #items: T[] = [];

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#items.length;
  }

  /** False when it is full, and then nothing was added. */
  offer(item: T): boolean {
    if (this.#items.length >= this.#capacity) return false;
    this.#items.push(item);
    return true;
  }

  /** Empties it: all items in their order. */
  drain(): readonly T[] {
    const items = this.#items;
    this.#items = [];
    return items;
  }
}
