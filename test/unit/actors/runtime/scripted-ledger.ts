import type { PaymentId, ScheduleId } from '../../../../src/actors/allocator/ids.ts';
import {
  type CardOrder,
  type CardResult,
  type ChargeOutcome,
  insufficientPoints,
  type Ledger,
  type LedgerAudit,
  type LedgerAuditor,
  LedgerUnavailable,
  type PaymentOrder,
  type PaymentRecord,
} from '../../../../src/actors/runtime/ledger.ts';

/**
 * How a call goes: not at all, with this error; or with its answer lost after it took effect. Any other goes
 * well.
 */
type LedgerStep = Error | 'answer-lost' | 'well';

/** A ledger of a few maps that does what a test tells it to. It keeps payments and balances, and no entries. */
export class ScriptedLedger implements Ledger, LedgerAuditor {
  isOverloaded = false;
  isFailing = false;
  /** Every call, in order: its name and the payment. */
  readonly calls: string[] = [];
  readonly orders = new Map<PaymentId, PaymentOrder>();
  readonly payments = new Map<PaymentId, PaymentRecord>();
  /** By another driver than the one that began it. */
  readonly #takenOver = new Set<PaymentId>();
  readonly balances = new Map<string, number>();
  /** Of the next calls. */
  steps: LedgerStep[] = [];
  accountFaults: readonly string[] = [];
  #gate: PromiseWithResolvers<void> | undefined;

  /** Calls wait until `release`; an audit does as well. */
  hold(): void {
    this.#gate = Promise.withResolvers<void>();
  }

  release(): void {
    this.#gate?.resolve();
    this.#gate = undefined;
  }

  async charge(): Promise<ChargeOutcome> {
    throw new Error('nobody charges an account here');
  }

  payByPoints(order: PaymentOrder, atMs: number): Promise<PaymentRecord> {
    return this.#run('payByPoints', order, () => {
      const known = this.payments.get(order.paymentId);
      if (known !== undefined) return known;
      const balance = this.#balanceOf(order);
      if (balance < order.amountMinor) {
        return begin(order, atMs, { status: 'DECLINED', declineCode: insufficientPoints });
      }
      this.balances.set(order.userId, balance - order.amountMinor);
      return begin(order, atMs, { status: 'APPROVED' });
    });
  }

  openCardPayment(order: CardOrder, atMs: number): Promise<PaymentRecord> {
    const { cardToken } = order;
    return this.#run(
      'openCardPayment',
      order,
      () => this.payments.get(order.paymentId) ?? begin(order, atMs, { status: 'PENDING', cardToken }),
    );
  }

  closeCardPayment(order: PaymentOrder, result: CardResult): Promise<PaymentRecord> {
    return this.#run('closeCardPayment', order, () => {
      const known = this.#known(order);
      const { unlessTakenOver, ...closed } = { unlessTakenOver: undefined, ...result };
      const isTakenOver = unlessTakenOver && this.#takenOver.has(order.paymentId);
      if (known.status !== 'PENDING' || isTakenOver) return known;
      return begin(order, known.createdAtMs, closed);
    });
  }

  cancelUnlessBegun(order: PaymentOrder, atMs: number): Promise<PaymentRecord> {
    return this.#run('cancelUnlessBegun', order, () => {
      const known = this.payments.get(order.paymentId);
      if (known?.status === 'PENDING') this.#takenOver.add(order.paymentId);
      return known ?? begin(order, atMs, { status: 'CANCELLED' });
    });
  }

  refund(order: PaymentOrder, _atMs: number, reference?: string): Promise<PaymentRecord> {
    return this.#run('refund', order, () => {
      const known = this.#known(order);
      if (known.status !== 'APPROVED') return known;
      if (order.method === 'points') {
        this.balances.set(order.userId, this.#balanceOf(order) + order.amountMinor);
      }
      return { ...known, status: 'REFUNDED', ...(reference !== undefined && { reference }) };
    });
  }

  async auditSchedule(scheduleId: ScheduleId): Promise<LedgerAudit> {
    await this.#gate?.promise;
    const step = this.steps.shift();
    if (step instanceof Error) throw step;
    const payments = [...this.orders.values()].flatMap((order) => {
      const { paymentId, number, userId, amountMinor } = order;
      const { status } = this.payments.get(paymentId) as PaymentRecord;
      if (order.scheduleId !== scheduleId || status === 'CANCELLED' || status === 'DECLINED') return [];
      return [{ paymentId, number, userId, amountMinor, status }];
    });
    return { payments, accountFaults: this.accountFaults, accountsChecked: this.balances.size };
  }

  async close(): Promise<void> {
    this.calls.push('close');
  }

  #balanceOf({ userId }: PaymentOrder): number {
    return this.balances.get(userId) ?? 0;
  }

  #known({ paymentId }: PaymentOrder): PaymentRecord {
    const record = this.payments.get(paymentId);
    if (record === undefined) throw new Error(`payment ${paymentId} was never begun`);
    return record;
  }

  /** @param change to the record as it is then, if it changes; it is written in the same turn. */
  async #run(call: string, order: PaymentOrder, change: () => PaymentRecord): Promise<PaymentRecord> {
    const { paymentId } = order;
    this.calls.push(`${call} ${paymentId}`);
    await this.#gate?.promise;
    const step = this.steps.shift();
    if (step instanceof Error) throw step;
    const record = change();
    this.payments.set(paymentId, record);
    this.orders.set(paymentId, order);
    if (step === 'answer-lost') throw new LedgerUnavailable('scripted');
    return order.method === 'points' ? { ...record, balance: this.#balanceOf(order) } : record;
  }
}

const begin = (
  { paymentId }: PaymentOrder,
  createdAtMs: number,
  record: Omit<PaymentRecord, 'paymentId' | 'createdAtMs'>,
): PaymentRecord => ({ paymentId, createdAtMs, ...record });
