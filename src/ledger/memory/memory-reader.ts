import type { ScheduleId, UserId } from '../../actors/allocator/ids.ts';
import type {
  EntryPage,
  EntryQuery,
  LedgerAudit,
  LedgerAuditor,
  PointsEntry,
  PointsReader,
} from '../../actors/runtime/ledger.ts';
import { accountFault } from '../account-audit.ts';
import type { StoredEntry } from '../book-rows.ts';
import type { MemoryLedgerData } from './memory-ledger-data.ts';

/** What people look at and the audit, over the same data as MemoryBook. */
export class MemoryReader implements PointsReader, LedgerAuditor {
  readonly #data: MemoryLedgerData;

  constructor(data: MemoryLedgerData) {
    this.#data = data;
  }

  async balanceOf(userId: UserId): Promise<number> {
    return this.#data.balances.get(userId) ?? 0;
  }

  async listEntries({ userId, limit, beforeEntryId }: EntryQuery): Promise<EntryPage> {
    const older = (this.#data.entries.get(userId) ?? []).filter(
      ({ entryId }) => beforeEntryId === undefined || entryId < beforeEntryId,
    );
    const page = older.reverse().slice(0, limit);
    return { entries: page.map(toPointsEntry), hasMore: older.length > limit };
  }

  async auditSchedule(scheduleId: ScheduleId): Promise<LedgerAudit> {
    const all = [...this.#data.payments.values()].filter((payment) => payment.scheduleId === scheduleId);
    const byPoints = all.filter(({ method }) => method === 'points');
    const payers = new Set(byPoints.map(({ userId }) => userId));
    const accountFaults = [...payers].flatMap((userId) => {
      const entries = (this.#data.entries.get(userId) ?? []).map(({ order, ...entry }) => ({
        ...entry,
        paymentId: order?.paymentId,
        payment: order && this.#data.payments.get(order.paymentId),
      }));
      const payments = byPoints.filter((payment) => payment.userId === userId);
      const balance = this.#data.balances.get(userId) ?? 0;
      return accountFault({ userId, balance, entries, payments }) ?? [];
    });
    const payments = all
      .filter(({ status }) => status !== 'CANCELLED' && status !== 'DECLINED')
      .map(({ paymentId, number, userId, amountMinor, status }) => ({
        paymentId,
        number,
        userId,
        amountMinor,
        status,
      }));
    return { payments, accountFaults, accountsChecked: payers.size };
  }
}

const toPointsEntry = ({ entryId, kind, amount, balanceAfter, order, atMs }: StoredEntry): PointsEntry => ({
  entryId,
  kind,
  amount,
  balanceAfter,
  ...(order && { reservation: { scheduleId: order.scheduleId, number: order.number } }),
  atMs,
});
