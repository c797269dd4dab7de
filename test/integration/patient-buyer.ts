import { setTimeout as delay } from 'node:timers/promises';
import { Buyer, type Told } from './buyer.ts';
import type { UsherProcess } from './usher-process.ts';

/** Longer than any outage of these tests. */
const patienceMs = 60_000;

/** What a crowd of buyers met on its way to its answers. */
export interface Setbacks {
  /** Requests whose connection ended before the answer. */
  lostAnswers: number;
  /** By code. */
  readonly unavailable: Map<string, number>;
}

export const noSetbacks = (): Setbacks => ({ lostAnswers: 0, unavailable: new Map() });

/**
 * A buyer whose requests always come to an answer: one that was lost, or refused because something is not there
 * now, is sent again under the same key, to whichever node there is by then.
 */
export class PatientBuyer {
  readonly userId: string;
  readonly #buyer: Buyer;
  readonly #node: () => UsherProcess;
  readonly #setbacks: Setbacks;

  private constructor(buyer: Buyer, node: () => UsherProcess, setbacks: Setbacks) {
    this.userId = buyer.userId;
    this.#buyer = buyer;
    this.#node = node;
    this.#setbacks = setbacks;
  }

  /** @param node the one that is asked now. */
  static async of(
    userId: string,
    node: () => UsherProcess,
    setbacks: Setbacks = noSetbacks(),
  ): Promise<PatientBuyer> {
    return new PatientBuyer(await Buyer.of(node(), userId), node, setbacks);
  }

  post(path: string, body: object, key: string): Promise<Told> {
    return this.#answered('POST', path, body, key);
  }

  get(path: string): Promise<Told> {
    return this.#answered('GET', path);
  }

  cancel(reservationId: string): Promise<Told> {
    return this.#answered('DELETE', `/reservations/${reservationId}`);
  }

  async #answered(
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    body?: object,
    key?: string,
  ): Promise<Told> {
    const deadlineMs = performance.now() + patienceMs;
    for (;;) {
      const told = await this.#buyer.call(this.#node(), method, path, body, key).catch(() => undefined);
      if (told !== undefined && told.status !== 503) return told;
      this.#note(told);
      if (performance.now() > deadlineMs) {
        throw new Error(`${method} ${path} of ${this.userId}: ${told?.text ?? 'no answer'}, for a minute`);
      }
      await delay(30 + Math.random() * 70);
    }
  }

  #note(told: Told | undefined): void {
    if (told === undefined) {
      this.#setbacks.lostAnswers += 1;
      return;
    }
    const { code, retryable } = told.body;
    const isComplete = retryable === true && Number(told.headers.get('retry-after')) >= 1;
    const name = isComplete ? code : `${code} without Retry-After`;
    this.#setbacks.unavailable.set(name, (this.#setbacks.unavailable.get(name) ?? 0) + 1);
  }
}
