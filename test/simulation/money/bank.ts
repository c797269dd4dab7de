import type { PaymentId, ScheduleId, UserId } from '../../../src/actors/allocator/ids.ts';
import { MemoryBook } from '../../../src/ledger/memory/memory-book.ts';
import {
  emptyMemoryLedgerData,
  type MemoryLedgerData,
} from '../../../src/ledger/memory/memory-ledger-data.ts';
import type { LedgerOperation, OperationResult } from '../../../src/ledger/operation.ts';
import type { JournalModel } from '../model/journal-model.ts';
import type { World } from '../world.ts';

/**
 * The ledger's disk: it outlives every crash of a node, and an auditor stands beside it. Batches take effect at
 * once; that they take time, and that workers die over them, is the business of LedgerWorkers.
 */
export class Bank {
  readonly data: MemoryLedgerData = emptyMemoryLedgerData();
  /** Charges that a client was told of, by entryId. */
  readonly toldCharges = new Map<number, { readonly userId: UserId; readonly amount: number }>();
  /** How often each user has asked for a charge: no more of them may be on the account. */
  readonly askedCharges = new Map<UserId, number>();
  readonly #book = new MemoryBook(this.data);
  readonly #modelOf: (scheduleId: ScheduleId) => JournalModel;
  readonly #blame: (message: string) => void;

  constructor(
    { users, points }: Pick<World, 'users' | 'points'>,
    modelOf: (scheduleId: ScheduleId) => JournalModel,
    blame: (message: string) => void,
  ) {
    this.#modelOf = modelOf;
    this.#blame = blame;
    const charges = users.flatMap((userId, index): LedgerOperation[] => {
      const amount = points[index] ?? 0;
      const mark = { key: `first-${userId}` as never, fingerprint: 1 };
      return amount === 0 ? [] : [{ kind: 'charge', charge: { userId, amount, mark, atMs: 0 } }];
    });
    for (const userId of users) this.noteAskedCharge(userId);
    this.#book.apply(charges);
  }

  noteAskedCharge(userId: UserId): void {
    this.askedCharges.set(userId, (this.askedCharges.get(userId) ?? 0) + 1);
  }

  apply(operations: readonly LedgerOperation[]): readonly OperationResult[] {
    for (const operation of operations) this.#checkBegun(operation);
    return this.#book.apply(operations);
  }

  statusOf(paymentId: string): string | undefined {
    return this.data.payments.get(paymentId as PaymentId)?.status;
  }

  /** I5: no money moves for a payment whose S0 is not on disk, nor for another one than that says. */
  #checkBegun(operation: LedgerOperation): void {
    if (operation.kind === 'charge') return;
    const { paymentId, scheduleId, number, userId, amountMinor } = operation.order;
    const seq = Number(paymentId.split('-')[2]);
    const model = this.#modelOf(scheduleId);
    const event = model.events[seq - 1];
    if (event?.type !== 'paying' || event.number !== number) {
      return this.#blame(`${operation.kind} of ${paymentId}: the journal has no such payment`);
    }
    const reservation = model.at(seq).reservations.get(number);
    if (reservation?.userId !== userId || reservation.totalMinor !== amountMinor) {
      this.#blame(
        `${operation.kind} of ${paymentId}: it is ${reservation?.userId}'s, ${reservation?.totalMinor}`,
      );
    }
  }
}
