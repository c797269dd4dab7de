import type {
  CardAnswer,
  CardGateway,
  FindAnswer,
  RefundAnswer,
  VoidAnswer,
} from '../../../../src/actors/runtime/card-gateway.ts';
import type { CardOrder, PaymentOrder } from '../../../../src/actors/runtime/ledger.ts';

/** A gateway that answers what a test tells it to; untold, it does what it is asked. */
export class ScriptedGateway implements CardGateway {
  standing: CardGateway['standing'] = 'ready';
  /** Every call, in order: its name, the payment, and the card or the charge. */
  readonly calls: string[] = [];
  /** Of the next calls. */
  charges: CardAnswer[] = [];
  voids: VoidAnswer[] = [];
  finds: FindAnswer[] = [];
  refunds: RefundAnswer[] = [];
  #gate: PromiseWithResolvers<void> | undefined;

  /** Calls wait until `release`. */
  hold(): void {
    this.#gate = Promise.withResolvers<void>();
  }

  release(): void {
    this.#gate?.resolve();
    this.#gate = undefined;
  }

  charge({ paymentId, cardToken }: CardOrder): Promise<CardAnswer> {
    return this.#answer(`charge ${paymentId} ${cardToken}`, this.charges, {
      kind: 'approved',
      reference: 'ch_1',
    });
  }

  void({ paymentId, cardToken }: CardOrder): Promise<VoidAnswer> {
    return this.#answer(`void ${paymentId} ${cardToken}`, this.voids, { kind: 'voided' });
  }

  find({ paymentId }: CardOrder): Promise<FindAnswer> {
    return this.#answer(`find ${paymentId}`, this.finds, { kind: 'none' });
  }

  refund({ paymentId }: PaymentOrder, reference: string): Promise<RefundAnswer> {
    return this.#answer(`refund ${paymentId} ${reference}`, this.refunds, {
      kind: 'refunded',
      reference: 're_1',
    });
  }

  async #answer<T>(call: string, scripted: T[], usual: T): Promise<T> {
    this.calls.push(call);
    await this.#gate?.promise;
    return scripted.shift() ?? usual;
  }
}

export const unknown = { kind: 'unknown', reason: 'scripted silence' } as const;
