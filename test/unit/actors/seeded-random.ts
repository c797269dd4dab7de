/**
 * Random numbers that a seed decides, for tests that try many cases. mulberry32 (Ettinger, public domain):
 * 32 bits of state are plenty to choose test cases, and a seed is a number that a person can type.
 */
export class SeededRandom {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** 0 … below - 1. */
  int(below: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000) * below);
  }

  /** low … high, both included. */
  between(low: number, high: number): number {
    return low + this.int(high - low + 1);
  }

  chance(percent: number): boolean {
    return this.int(100) < percent;
  }

  pick<T>(items: readonly T[]): T {
    if (items.length === 0) throw new Error('nothing to pick from');
    return items[this.int(items.length)] as T;
  }

  /** `count` of the items, each once, in random order. */
  sample<T>(items: readonly T[], count: number): T[] {
    const rest = [...items];
    const chosen: T[] = [];
    while (chosen.length < count && rest.length > 0) chosen.push(...rest.splice(this.int(rest.length), 1));
    return chosen;
  }
}

/**
 * Runs a case for each of `count` seeds. A failure names its seed, and TEST_SEED=<seed> runs that one alone.
 */
export function forEachSeed(count: number, run: (random: SeededRandom, seed: number) => void): void {
  const wanted = process.env['TEST_SEED'];
  const seeds =
    wanted === undefined ? Array.from({ length: count }, (_, index) => index + 1) : [Number(wanted)];
  for (const seed of seeds) {
    try {
      run(new SeededRandom(seed), seed);
    } catch (error) {
      throw new Error(`seed ${seed} fails (TEST_SEED=${seed} runs it alone): ${error}`, { cause: error });
    }
  }
}
