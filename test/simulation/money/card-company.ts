import type {
  CardAnswer,
  FindAnswer,
  RefundAnswer,
  VoidAnswer,
} from '../../../src/actors/runtime/card-gateway.ts';
import type { CardOrder, PaymentOrder } from '../../../src/actors/runtime/ledger.ts';

/** What an idempotency key was used for, and what came of it. */
export type KeyUse =
  | { readonly kind: 'void' }
  | { readonly kind: 'declined'; readonly declineCode: string }
  | { readonly kind: 'charged'; readonly amountMinor: number; refunds: number };

/** The other side of the gateway: remembers each key and moves the money once. */
export class CardCompany {
  readonly keys = new Map<string, KeyUse>();

  charge({ paymentId, cardToken, amountMinor }: CardOrder): CardAnswer {
    const known = this.keys.get(paymentId);
    const use = known ?? useOf(cardToken, amountMinor);
    this.keys.set(paymentId, use);
    switch (use.kind) {
      case 'void':
        return { kind: 'not-sent', reason: 'the key was taken to charge nothing; its answer was lost' };
      case 'declined':
        return { kind: 'declined', declineCode: use.declineCode };
      case 'charged':
        return { kind: 'approved', reference: `ref-${paymentId}` };
    }
  }

  void({ paymentId }: CardOrder): VoidAnswer {
    const known = this.keys.get(paymentId);
    if (known !== undefined && known.kind !== 'void') return { kind: 'begun' };
    this.keys.set(paymentId, { kind: 'void' });
    return { kind: 'voided' };
  }

  find({ paymentId }: CardOrder): FindAnswer {
    const isCharged = this.keys.get(paymentId)?.kind === 'charged';
    return isCharged ? { kind: 'approved', reference: `ref-${paymentId}` } : { kind: 'none' };
  }

  refund({ paymentId }: PaymentOrder, reference: string): RefundAnswer {
    const use = this.keys.get(paymentId);
    if (use?.kind !== 'charged' || reference !== `ref-${paymentId}`) {
      return { kind: 'unknown', reason: `there is no charge ${reference}` };
    }
    if (use.refunds === 0) use.refunds += 1;
    return { kind: 'refunded', reference: `refund-${paymentId}` };
  }
}

const useOf = (cardToken: string, amountMinor: number): KeyUse =>
  cardToken === 'declines'
    ? { kind: 'declined', declineCode: 'insufficient_funds' }
    : { kind: 'charged', amountMinor, refunds: 0 };
