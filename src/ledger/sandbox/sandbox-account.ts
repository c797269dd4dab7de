import { randomBytes } from 'node:crypto';
import { dropOldest } from './drop-oldest.ts';

export interface SandboxIntent {
  readonly intentId: string;
  readonly amount: number;
  readonly currency: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly isCharged: boolean;
  readonly declineCode?: string | undefined;
  readonly refund?: SandboxRefund | undefined;
}

export interface SandboxRefund {
  readonly refundId: string;
  readonly intentId: string;
  readonly amount: number;
  readonly currency: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** What the sandbox's merchant has been paid and has given back. The oldest are forgotten beyond `intentsMax`. */
export class SandboxAccount {
  readonly #intents = new Map<string, SandboxIntent>();

  /** Oldest first. */
  get intents(): Iterable<SandboxIntent> {
    return this.#intents.values();
  }

  get size(): number {
    return this.#intents.size;
  }

  find(intentId: string): SandboxIntent | undefined {
    return this.#intents.get(intentId);
  }

  /** @param intent that is new, or what has become of one. */
  put(intent: SandboxIntent): void {
    this.#intents.set(intent.intentId, intent);
    dropOldest(this.#intents, intentsMax);
  }
}

const intentsMax = 100_000;

type IntentTerms = Pick<SandboxIntent, 'amount' | 'currency' | 'metadata'>;

export const newIntent = (
  { amount, currency, metadata }: IntentTerms,
  decided: Pick<SandboxIntent, 'isCharged' | 'declineCode'>,
): SandboxIntent => ({ intentId: newId('pi'), amount, currency, metadata, ...decided });

/** @param intent that is charged, and not refunded. */
export const newRefund = (
  { intentId, amount, currency }: SandboxIntent,
  metadata: Readonly<Record<string, string>>,
): SandboxRefund => ({ refundId: newId('re'), intentId, amount, currency, metadata });

/** Random: a sandbox that starts anew must not give out the ids that its clients have stored. */
const newId = (prefix: string): string => `${prefix}_${randomBytes(12).toString('hex')}`;
