import { assert } from '../allocator/assert.ts';
import type { SettlePaymentCommand } from '../allocator/command.ts';
import type { PaymentFailure } from '../allocator/payment.ts';
import { insufficientPoints, type PaymentOrder, type PaymentRecord } from './ledger.ts';
import { type Outcome, unavailable } from './outcome.ts';

/** What the ledger's word is to the actor. */
export function paymentResult(record: PaymentRecord): SettlePaymentCommand['result'] {
  switch (record.status) {
    case 'APPROVED':
      return { reason: 'approved' };
    case 'DECLINED':
      return record.declineCode === insufficientPoints
        ? { reason: 'insufficient-points' }
        : { reason: 'declined', declineCode: record.declineCode ?? 'unknown' };
    case 'CANCELLED':
      return { reason: 'cancelled' };
    case 'REFUNDED':
      return { reason: 'refunded' };
    case 'PENDING':
      assert(false, 'a pending payment is not settled');
  }
}

/** The seats are gone: whatever becomes of the money, this is what a caller is told. */
export const tooLate: Outcome = { kind: 'rejected', rejection: { code: 'hold-expired' } };

/** What a caller is told of a payment that came to nothing. @param balance of the account, if it is by points. */
export function failedPayment(
  { method, amountMinor }: PaymentOrder,
  failure: PaymentFailure,
  balance: number | undefined,
): Outcome {
  switch (failure.reason) {
    case 'insufficient-points':
      return {
        kind: 'rejected',
        rejection: { code: 'insufficient-points', balance: balance ?? 0, requiredMinor: amountMinor },
      };
    case 'declined':
      return { kind: 'rejected', rejection: { code: 'payment-declined', declineCode: failure.declineCode } };
    case 'cancelled':
      return unavailable(method === 'card' ? 'gateway-unavailable' : 'store-unavailable');
    case 'refunded':
      return tooLate;
  }
}
