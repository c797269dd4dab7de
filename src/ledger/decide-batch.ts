import { idempotencyWindowMs } from '../actors/allocator/idempotency-window.ts';
import {
  type CardOrder,
  type CardResult,
  type ChargeOutcome,
  insufficientPoints,
  type PaymentOrder,
  type PaymentRecord,
  type PointsCharge,
} from '../actors/runtime/ledger.ts';
import { Batch } from './batch.ts';
import { BatchRefused } from './book.ts';
import type { BookChanges, BookRows, StoredPayment } from './book-rows.ts';
import type { LedgerOperation, OperationResult } from './operation.ts';

/**
 * The rules of the ledger: what each operation does to accounts and payments, and what it answers. Pure, so
 * that every book keeps the same rules; a book adds how rows are read and written.
 *
 * Idempotence (I4) rests on two keys alone: a payment's id and a charge's mark. Whoever finds one of them
 * changes nothing that it has already changed, and answers what it finds.
 *
 * Operations come in the order of their arrival, so entries do as well; `balances` come in the order of users.
 *
 * Throws BatchRefused.
 */
export function decideBatch(
  operations: readonly LedgerOperation[],
  rows: BookRows,
): { readonly results: readonly OperationResult[]; readonly changes: BookChanges } {
  const batch = new Batch(rows);
  const results = operations.map((operation) => decide(batch, operation));
  return { results, changes: batch.changes(marksOfUseSince(operations)) };
}

/**
 * Marks from before this time, in milliseconds since the epoch, are of no use any more. Where nothing is charged,
 * nothing is forgotten: the number of marks has not grown either.
 */
export function marksOfUseSince(operations: readonly LedgerOperation[]): number {
  let oldestChargeAtMs = Number.POSITIVE_INFINITY;
  for (const operation of operations) {
    if (operation.kind === 'charge') oldestChargeAtMs = Math.min(oldestChargeAtMs, operation.charge.atMs);
  }
  return oldestChargeAtMs === Number.POSITIVE_INFINITY
    ? 0
    : oldestChargeAtMs - idempotencyWindowMs - clockStepMs;
}

/** A mark is kept this much longer than it counts, so that a clock set back finds it again. */
const clockStepMs = 60 * 60 * 1000;

function decide(batch: Batch, operation: LedgerOperation): OperationResult {
  switch (operation.kind) {
    case 'charge':
      return charge(batch, operation.charge);
    case 'pay-by-points':
      return toRecord(batch, payByPoints(batch, operation.order, operation.atMs));
    case 'open-card':
      return toRecord(batch, openCard(batch, operation.order, operation.atMs));
    case 'close-card':
      return toRecord(batch, closeCard(batch, operation.order, operation.result, operation.atMs));
    case 'cancel-unless-begun':
      return toRecord(batch, cancelUnlessBegun(batch, operation.order, operation.atMs));
    case 'refund':
      return toRecord(batch, refund(batch, operation.order, operation.reference, operation.atMs));
  }
}

function charge(batch: Batch, { userId, amount, mark, atMs }: PointsCharge): ChargeOutcome {
  mustHold(Number.isSafeInteger(amount) && amount > 0, `a charge of ${amount}`);
  const known = batch.findMark(userId, mark.key);
  if (known !== undefined && known.atMs + idempotencyWindowMs > atMs) {
    if (known.fingerprint !== mark.fingerprint) return { kind: 'key-reused' };
    return { kind: 'charged', entryId: known.entryId, balance: known.balanceAfter, replayed: true };
  }
  if (batch.balanceOf(userId) > Number.MAX_SAFE_INTEGER - amount) return { kind: 'balance-limit' };
  const { entryId, balanceAfter } = batch.post(userId, 'charge', amount, atMs);
  batch.remember({ userId, key: mark.key, fingerprint: mark.fingerprint, entryId, balanceAfter, atMs });
  return { kind: 'charged', entryId, balance: balanceAfter, replayed: false };
}

function payByPoints(batch: Batch, order: PaymentOrder, atMs: number): StoredPayment {
  mustHold(order.method === 'points', `${order.paymentId} is no payment by points`);
  const known = findPayment(batch, order);
  if (known !== undefined) return known;
  if (batch.balanceOf(order.userId) < order.amountMinor) {
    return addPayment(batch, order, {
      status: 'DECLINED',
      declineCode: insufficientPoints,
      createdAtMs: atMs,
      settledAtMs: atMs,
    });
  }
  if (order.amountMinor > 0) batch.post(order.userId, 'payment', -order.amountMinor, atMs, order);
  return addPayment(batch, order, { status: 'APPROVED', createdAtMs: atMs, settledAtMs: atMs });
}

function openCard(batch: Batch, order: CardOrder, atMs: number): StoredPayment {
  mustHold(order.method === 'card', `${order.paymentId} is no payment by card`);
  return (
    findPayment(batch, order) ??
    addPayment(batch, order, { status: 'PENDING', cardToken: order.cardToken, createdAtMs: atMs })
  );
}

function closeCard(batch: Batch, order: PaymentOrder, result: CardResult, atMs: number): StoredPayment {
  const payment = findPayment(batch, order);
  mustHold(payment !== undefined, `${order.paymentId} is closed and was never opened`);
  mustHold(payment.method === 'card', `${order.paymentId} is no payment by card`);
  if (payment.status !== 'PENDING') return payment;
  const staysPending = result.status === 'CANCELLED' && result.unlessTakenOver && payment.isTakenOver;
  if (staysPending) return payment;
  return changePayment(batch, {
    ...payment,
    status: result.status,
    declineCode: result.status === 'DECLINED' ? result.declineCode : undefined,
    cardToken: undefined,
    reference: result.status === 'APPROVED' ? result.reference : undefined,
    settledAtMs: atMs,
  });
}

function cancelUnlessBegun(batch: Batch, order: PaymentOrder, atMs: number): StoredPayment {
  const known = findPayment(batch, order);
  if (known === undefined) {
    return addPayment(batch, order, { status: 'CANCELLED', createdAtMs: atMs, settledAtMs: atMs });
  }
  if (known.status !== 'PENDING') return known;
  return known.isTakenOver ? known : changePayment(batch, { ...known, isTakenOver: true });
}

function refund(
  batch: Batch,
  order: PaymentOrder,
  reference: string | undefined,
  atMs: number,
): StoredPayment {
  const payment = findPayment(batch, order);
  mustHold(payment !== undefined, `${order.paymentId} is refunded and was never begun`);
  if (payment.status !== 'APPROVED') return payment;
  if (payment.method === 'points' && payment.amountMinor > 0) {
    batch.post(payment.userId, 'refund', payment.amountMinor, atMs, order);
  }
  return changePayment(batch, {
    ...payment,
    status: 'REFUNDED',
    refundReference: reference,
    refundedAtMs: atMs,
  });
}

/** The stored payment of this order, which is never another order's. */
function findPayment(batch: Batch, order: PaymentOrder): StoredPayment | undefined {
  const { amountMinor } = order;
  mustHold(Number.isSafeInteger(amountMinor) && amountMinor >= 0, `a payment of ${amountMinor}`);
  const stored = batch.findPayment(order.paymentId);
  if (stored === undefined) return undefined;
  const isSame =
    stored.userId === order.userId &&
    stored.scheduleId === order.scheduleId &&
    stored.number === order.number &&
    stored.method === order.method &&
    stored.amountMinor === order.amountMinor &&
    stored.currency === order.currency;
  mustHold(isSame, `${order.paymentId} is stored as another order`);
  return stored;
}

type Beginning = Pick<StoredPayment, 'status' | 'createdAtMs'> & Partial<StoredPayment>;

function addPayment(batch: Batch, order: PaymentOrder, beginning: Beginning): StoredPayment {
  const payment: StoredPayment = {
    paymentId: order.paymentId,
    scheduleId: order.scheduleId,
    number: order.number,
    userId: order.userId,
    method: order.method,
    amountMinor: order.amountMinor,
    currency: order.currency,
    status: beginning.status,
    declineCode: beginning.declineCode,
    cardToken: beginning.cardToken,
    reference: undefined,
    refundReference: undefined,
    isTakenOver: false,
    createdAtMs: beginning.createdAtMs,
    settledAtMs: beginning.settledAtMs,
    refundedAtMs: undefined,
  };
  batch.addPayment(payment);
  return payment;
}

function changePayment(batch: Batch, payment: StoredPayment): StoredPayment {
  batch.changePayment(payment);
  return payment;
}

function toRecord(batch: Batch, payment: StoredPayment): PaymentRecord {
  const { paymentId, status, declineCode, cardToken, reference, createdAtMs } = payment;
  return {
    paymentId,
    status,
    createdAtMs,
    ...(declineCode !== undefined && { declineCode }),
    ...(cardToken !== undefined && { cardToken }),
    ...(reference !== undefined && { reference }),
    ...(payment.method === 'points' && { balance: batch.balanceOf(payment.userId) }),
  };
}

function mustHold(condition: boolean, message: string): asserts condition {
  if (!condition) throw new BatchRefused(message);
}
