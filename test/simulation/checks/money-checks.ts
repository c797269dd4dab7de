import type { ScheduleId } from '../../../src/actors/allocator/ids.ts';
import type { StoredPayment } from '../../../src/ledger/book-rows.ts';
import { type JournalModel, openPayments } from '../model/journal-model.ts';
import type { Bank } from '../money/bank.ts';
import type { CardCompany } from '../money/card-company.ts';
import type { Invariant, Violation } from '../violation.ts';
import type { World } from '../world.ts';

type Blame = (invariant: Invariant, message: string) => void;

/** I4 and I5 at the end of a run, when nothing is under way any more: books, journals and cards agree. */
export function checkMoney(
  world: World,
  models: ReadonlyMap<ScheduleId, JournalModel>,
  bank: Bank,
  company: CardCompany,
): readonly Violation[] {
  const violations: Violation[] = [];
  const blame: Blame = (invariant, message) => violations.push({ invariant, message });
  checkAccounts(world, bank, blame);
  checkCharges(bank, blame);
  const paid = new Map<string, { userId: string; totalMinor: number }>();
  for (const [scheduleId, model] of models) {
    for (const { number } of openPayments(model.latest)) {
      blame('I13', `schedule ${scheduleId}: the payment of ${number} never came to an end`);
    }
    for (const { number, status, payment, userId, totalMinor } of model.latest.reservations.values()) {
      if (status === 'PAID') paid.set(`${scheduleId}-${number}-${payment?.seq}`, { userId, totalMinor });
    }
  }
  for (const payment of bank.data.payments.values()) {
    checkPayment(payment, paid, company, blame);
    checkEntries(payment, bank, blame);
  }
  for (const paymentId of paid.keys()) blame('I5', `${paymentId} is paid with a payment that is not there`);
  for (const [paymentId, use] of company.keys) {
    if (use.kind === 'charged' && bank.statusOf(paymentId) === undefined)
      blame('I5', `${paymentId} was charged to a card, and no book knows of it`);
  }
  return violations;
}

/** I4: no balance below 0, each the sum of its entries, each entry the next step. */
function checkAccounts({ users }: World, { data }: Bank, blame: Blame): void {
  for (const userId of users) {
    let balance = 0;
    for (const entry of data.entries.get(userId) ?? []) {
      balance += entry.amount;
      if (balance < 0 || entry.balanceAfter !== balance)
        blame('I4', `${userId}, entry ${entry.entryId}: ${balance}, said to be ${entry.balanceAfter}`);
    }
    const kept = data.balances.get(userId) ?? 0;
    if (kept !== balance) blame('I4', `${userId} has ${kept}, the entries make ${balance}`);
  }
}

/** I4: one debit of what was approved by points, one refund of what was given back, and nothing else. */
function checkEntries(
  { paymentId, method, status, amountMinor, userId }: StoredPayment,
  { data }: Bank,
  blame: Blame,
): void {
  const moved = (data.entries.get(userId) ?? [])
    .filter(({ order }) => order?.paymentId === paymentId)
    .map(({ kind, amount }) => `${kind} ${amount}`);
  const isMade = method === 'points' && (status === 'APPROVED' || status === 'REFUNDED');
  const expected = isMade ? [`payment ${-amountMinor}`] : [];
  if (isMade && status === 'REFUNDED') expected.push(`refund ${amountMinor}`);
  if (moved.join() !== expected.join())
    blame('I4', `payment ${paymentId} is ${status} and moved ${moved.join(', ') || 'nothing'}`);
}

/** I2, I4: what was told is there, once. */
function checkCharges({ data, toldCharges, askedCharges }: Bank, blame: Blame): void {
  for (const [userId, asked] of askedCharges) {
    const made = (data.entries.get(userId) ?? []).filter(({ kind }) => kind === 'charge').length;
    if (made > asked) blame('I4', `${userId} asked for ${asked} charges, and has ${made}`);
  }
  for (const [entryId, { userId, amount }] of toldCharges) {
    const entry = data.entries.get(userId)?.find((candidate) => candidate.entryId === entryId);
    if (entry?.amount !== amount || entry.kind !== 'charge')
      blame('I2', `${userId} was told of ${amount} as entry ${entryId}: ${JSON.stringify(entry)}`);
  }
}

/** Takes the payment out of `paid` when it belongs there. */
function checkPayment(
  payment: StoredPayment,
  paid: Map<string, { userId: string; totalMinor: number }>,
  company: CardCompany,
  blame: Blame,
): void {
  const { paymentId, status, method, userId, amountMinor } = payment;
  const reservation = paid.get(paymentId);
  paid.delete(paymentId);
  if (status === 'PENDING') blame('I13', `payment ${paymentId} is pending for ever`);
  if ((status === 'APPROVED') !== (reservation !== undefined)) {
    blame('I5', `payment ${paymentId} is ${status}, and its reservation is ${reservation ? '' : 'not '}paid`);
  }
  if (reservation && (reservation.userId !== userId || reservation.totalMinor !== amountMinor)) {
    blame('I5', `payment ${paymentId} is of ${userId}, ${amountMinor}: ${JSON.stringify(reservation)}`);
  }
  if (method === 'points') return;
  const use = company.keys.get(paymentId);
  const isCharged = use?.kind === 'charged';
  const wantsCharge = status === 'APPROVED' || status === 'REFUNDED';
  if (isCharged !== wantsCharge)
    blame('I5', `payment ${paymentId} is ${status}, the card: ${JSON.stringify(use)}`);
  if (isCharged && use.refunds !== (status === 'REFUNDED' ? 1 : 0))
    blame('I5', `payment ${paymentId} is ${status}, the card was refunded ${use.refunds} times`);
  if (isCharged && use.amountMinor !== amountMinor)
    blame('I5', `payment ${paymentId} of ${amountMinor}: the card was charged ${use.amountMinor}`);
}
