import * as v from 'valibot';
import { delayMsMax } from './sandbox-cards.ts';

/** Whether the sandbox's Stripe is there at all, and how slow it is. */
export class SandboxWeather {
  #delayMs = 0;
  #isDown = false;
  #back: NodeJS.Timeout | undefined;
  readonly #onDown: () => void;

  /** @param onDown ends what is under way. */
  constructor(onDown: () => void) {
    this.#onDown = onDown;
  }

  /** While it is, connections break. */
  get isDown(): boolean {
    return this.#isDown;
  }

  /** Before every call. */
  get delayMs(): number {
    return this.#delayMs;
  }

  /** @param command `down`, `up` or `delay`. @returns false for a body that it does not take. */
  change(command: string, body: unknown): boolean {
    if (command === 'up') this.up();
    else if (command === 'down' && v.is(downSchema, body)) this.#down(body.seconds);
    else if (command === 'delay' && v.is(delaySchema, body)) this.#delayMs = body.ms;
    else return false;
    return true;
  }

  up(): void {
    clearTimeout(this.#back);
    this.#isDown = false;
  }

  #down(seconds: number | undefined): void {
    clearTimeout(this.#back);
    this.#isDown = true;
    this.#onDown();
    if (seconds !== undefined) this.#back = setTimeout(() => this.up(), seconds * 1000).unref();
  }
}

const downSchema = v.object({
  seconds: v.optional(v.pipe(v.number(), v.minValue(0.001), v.maxValue(86_400))),
});
const delaySchema = v.object({ ms: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(delayMsMax)) });
