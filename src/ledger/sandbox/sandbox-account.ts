import { randomBytes } from 'node:crypto';
import { dropOldest } from './drop-oldest.ts';

export interface SandboxIntent {
  readonly intentId: string;
  readonly amount: number;
  readonly currency: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly isCharged: boolean;
  readonly declineCode: string | undefined;
  readonly refund: SandboxRefund | undefined;
}

export interface SandboxRefund {
  readonly refundId: string;
  readonly intentId: string;
  readonly amount: number;
  readonly currency: string;
  readonly metadata: Readonly<Record<string, string>>;
}

type NewIntent = Pick<SandboxIntent, 'amount' | 'currency' | 'metadata'> &
  Partial<Pick<SandboxIntent, 'isCharged' | 'declineCode'>>;

/** What the sandbox's merchant has been paid and has given back. The oldest are forgotten beyond `intentsMax`. */
export class SandboxAccount {
  readonly #intents = new Map<string, SandboxIntent>();

  /** Oldest first. */
  get intents(): Iterable<SandboxIntent> {
    return this.#intents.values();
  }

  create({ isCharged = false, declineCode, ...intent }: NewIntent): SandboxIntent {
    const made = { ...intent, intentId: newId('pi'), isCharged, declineCode, refund: undefined };
    this.#intents.set(made.intentId, made);
    dropOldest(this.#intents, intentsMax);
    return made;
  }

  find(intentId: string): SandboxIntent | undefined {
    return this.#intents.get(intentId);
  }

  /** @param intent that is charged, and not refunded. */
  refund(intent: SandboxIntent, metadata: Readonly<Record<string, string>>): SandboxRefund {
    const { intentId, amount, currency } = intent;
    const refund = { refundId: newId('re'), intentId, amount, currency, metadata };
    this.#intents.set(intentId, { ...intent, refund });
    return refund;
  }
}

const intentsMax = 100_000;

/** Random: a sandbox that starts anew must not give out the ids that its clients have stored. */
const newId = (prefix: string): string => `${prefix}_${randomBytes(12).toString('hex')}`;
