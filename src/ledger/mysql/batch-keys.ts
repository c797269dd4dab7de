import type { PaymentId, UserId } from '../../actors/allocator/ids.ts';
import { markName } from '../batch.ts';
import { marksOfUseSince } from '../decide-batch.ts';
import { type LedgerOperation, userOf } from '../operation.ts';

/**
 * The rows that the operations of a batch can read or change, each once and in the order of bytes, which is the
 * order of the primary keys. Every batch locks its rows in this order: accounts, payments, marks. Two batches
 * that meet in one row can therefore wait for each other in one direction only.
 */
export interface BatchKeys {
  readonly userIds: readonly UserId[];
  readonly paymentIds: readonly PaymentId[];
  readonly markNames: readonly string[];
  /** As many marks that are older than `marksOfUseSinceMs` may be forgotten: two for each that may be new. */
  readonly forgottenMarksMax: number;
  readonly marksOfUseSinceMs: number;
}

export function batchKeys(operations: readonly LedgerOperation[]): BatchKeys {
  const userIds = new Set<UserId>();
  const paymentIds = new Set<PaymentId>();
  const markNames = new Set<string>();
  for (const operation of operations) {
    userIds.add(userOf(operation));
    if (operation.kind === 'charge') {
      markNames.add(markName(operation.charge.userId, operation.charge.mark.key));
    } else {
      paymentIds.add(operation.order.paymentId);
    }
  }
  return {
    userIds: [...userIds].sort(),
    paymentIds: [...paymentIds].sort(),
    markNames: [...markNames].sort(),
    forgottenMarksMax: 2 * markNames.size,
    marksOfUseSinceMs: marksOfUseSince(operations),
  };
}
