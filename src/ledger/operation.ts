import type { UserId } from '../actors/allocator/ids.ts';
import type {
  CardOrder,
  CardResult,
  ChargeOutcome,
  PaymentOrder,
  PaymentRecord,
  PointsCharge,
} from '../actors/runtime/ledger.ts';

/** A writing call of the Ledger port as plain data: it waits in a lane, and crosses a thread boundary. */
export type LedgerOperation =
  | { readonly kind: 'charge'; readonly charge: PointsCharge }
  | { readonly kind: 'pay-by-points'; readonly order: PaymentOrder; readonly atMs: number }
  | { readonly kind: 'open-card'; readonly order: CardOrder; readonly atMs: number }
  | {
      readonly kind: 'close-card';
      readonly order: PaymentOrder;
      readonly result: CardResult;
      readonly atMs: number;
    }
  | { readonly kind: 'cancel-unless-begun'; readonly order: PaymentOrder; readonly atMs: number }
  | {
      readonly kind: 'refund';
      readonly order: PaymentOrder;
      /** The gateway's name for the refund of a card. */
      readonly reference: string | undefined;
      readonly atMs: number;
    };

/** Of a charge its outcome, of any other operation the payment. */
export type OperationResult = ChargeOutcome | PaymentRecord;

export const userOf = (operation: LedgerOperation): UserId =>
  operation.kind === 'charge' ? operation.charge.userId : operation.order.userId;
