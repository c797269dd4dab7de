/**
 * The time of the simulated world. Nothing moves it but the simulation: `pass` lets time go by for
 * everybody, `jump` sets the wall clocks alone, as an operator or NTP would. Some of them may be off by a while.
 */
export class VirtualClock {
  #monotonicMs = 0;
  #wallMs: number;
  #latestWallMs: number;
  /** How far a node's wall clock is ahead, or behind. */
  readonly #skewsMs = new Map<number, number>();

  constructor(wallMs: number) {
    this.#wallMs = wallMs;
    this.#latestWallMs = wallMs;
  }

  get monotonicMs(): number {
    return this.#monotonicMs;
  }

  get wallMs(): number {
    return this.#wallMs;
  }

  wallMsOf(owner: number): number {
    return this.#wallMs + (this.#skewsMs.get(owner) ?? 0);
  }

  /** What the wall clock that is the most behind shows. */
  get earliestWallMs(): number {
    return this.#wallMs + Math.min(0, ...this.#skewsMs.values());
  }

  /** The latest time that any wall clock has ever shown. */
  get latestWallMs(): number {
    return this.#latestWallMs;
  }

  pass(durationMs: number): void {
    this.#monotonicMs += durationMs;
    this.jump(durationMs);
  }

  jump(byMs: number): void {
    this.#wallMs += byMs;
    this.#noteLatest();
  }

  /** From now on the wall clock of this owner is off by so much; 0: it is right. */
  skew(owner: number, byMs: number): void {
    if (byMs === 0) this.#skewsMs.delete(owner);
    else this.#skewsMs.set(owner, byMs);
    this.#noteLatest();
  }

  #noteLatest(): void {
    const ahead = Math.max(0, ...this.#skewsMs.values());
    this.#latestWallMs = Math.max(this.#latestWallMs, this.#wallMs + ahead);
  }
}
