import type { ScheduleId, UserId } from '../../actors/allocator/ids.ts';
import {
  type CardOrder,
  type CardResult,
  type ChargeOutcome,
  type EntryPage,
  type EntryQuery,
  type Ledger,
  type LedgerAudit,
  type LedgerAuditor,
  LedgerOverloaded,
  LedgerRefused,
  type PaymentOrder,
  type PaymentRecord,
  type PointsCharge,
  type PointsReader,
} from '../../actors/runtime/ledger.ts';
import { BalanceCache, type BalanceCacheOptions } from './balance-cache.ts';

type SourceLedger = Ledger & PointsReader & LedgerAuditor;

/**
 * A ledger whose balances are read through Redis (balance-cache.ts). Everything else is the ledger's own.
 *
 * Where an account has changed, or may have, its entry is deleted after the ledger has answered and before the
 * caller is: whoever is told of a change reads it. It is the answer that counts, not the change. A charge
 * that is replayed, or a payment that another driver asks about, may be the first that anybody hears of a
 * change whose own call was lost, with its deletion. A call that failed may have taken effect.
 */
export class CachedLedger implements Ledger, PointsReader, LedgerAuditor {
  readonly #source: SourceLedger;
  readonly #cache: BalanceCache;

  constructor(source: SourceLedger, options: Omit<BalanceCacheOptions, 'readBalance'>) {
    this.#source = source;
    this.#cache = new BalanceCache({ ...options, readBalance: (userId) => source.balanceOf(userId) });
  }

  get isOverloaded(): boolean {
    return this.#source.isOverloaded;
  }

  get isFailing(): boolean {
    return this.#source.isFailing;
  }

  charge(charge: PointsCharge): Promise<ChargeOutcome> {
    return this.#changing(charge.userId, this.#source.charge(charge), ({ kind }) => kind === 'charged');
  }

  payByPoints(order: PaymentOrder, atMs: number): Promise<PaymentRecord> {
    return this.#changing(order.userId, this.#source.payByPoints(order, atMs), hasMovedPoints);
  }

  openCardPayment(order: CardOrder, atMs: number): Promise<PaymentRecord> {
    return this.#source.openCardPayment(order, atMs);
  }

  closeCardPayment(order: PaymentOrder, result: CardResult, atMs: number): Promise<PaymentRecord> {
    return this.#source.closeCardPayment(order, result, atMs);
  }

  cancelUnlessBegun(order: PaymentOrder, atMs: number): Promise<PaymentRecord> {
    const answering = this.#source.cancelUnlessBegun(order, atMs);
    return order.method === 'points' ? this.#changing(order.userId, answering, hasMovedPoints) : answering;
  }

  refund(order: PaymentOrder, atMs: number, reference?: string): Promise<PaymentRecord> {
    const answering = this.#source.refund(order, atMs, reference);
    return order.method === 'points' ? this.#changing(order.userId, answering, hasMovedPoints) : answering;
  }

  balanceOf(userId: UserId): Promise<number> {
    return this.#cache.balanceOf(userId);
  }

  listEntries(query: EntryQuery): Promise<EntryPage> {
    return this.#source.listEntries(query);
  }

  auditSchedule(scheduleId: ScheduleId): Promise<LedgerAudit> {
    return this.#source.auditSchedule(scheduleId);
  }

  /** Closes the ledger, then delivers what it can. Redis stays open. */
  async close(): Promise<void> {
    await this.#source.close();
    await this.#cache.invalidations.close();
  }

  async #changing<Answer>(
    userId: UserId,
    answering: Promise<Answer>,
    tellsOfChange: (answer: Answer) => boolean,
  ): Promise<Answer> {
    let answer: Answer;
    try {
      answer = await answering;
    } catch (error) {
      if (!hadNoEffect(error)) await this.#cache.invalidations.add(userId);
      throw error;
    }
    if (tellsOfChange(answer)) await this.#cache.invalidations.add(userId);
    return answer;
  }
}

const hasMovedPoints = ({ status }: PaymentRecord): boolean => status === 'APPROVED' || status === 'REFUNDED';

const hadNoEffect = (error: unknown): boolean =>
  error instanceof LedgerOverloaded || error instanceof LedgerRefused;
