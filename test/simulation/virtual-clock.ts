/**
 * The time of the simulated world. Nothing moves it but the simulation: `pass` lets time go by for
 * everybody, `jump` sets the wall clock alone, as an operator or NTP would.
 */
export class VirtualClock {
  #monotonicMs = 0;
  #wallMs: number;
  #latestWallMs: number;

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

  /** The latest time that the wall clock has ever shown. */
  get latestWallMs(): number {
    return this.#latestWallMs;
  }

  pass(durationMs: number): void {
    this.#monotonicMs += durationMs;
    this.jump(durationMs);
  }

  jump(byMs: number): void {
    this.#wallMs += byMs;
    this.#latestWallMs = Math.max(this.#latestWallMs, this.#wallMs);
  }
}
