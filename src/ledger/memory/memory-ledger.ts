import type { ScheduleId, UserId } from '../../actors/allocator/ids.ts';
import type {
  EntryPage,
  EntryQuery,
  LedgerAudit,
  LedgerAuditor,
  PointsReader,
} from '../../actors/runtime/ledger.ts';
import { LaneLedger, type LaneLedgerOptions } from '../lane-ledger.ts';
import { MemoryBook } from './memory-book.ts';
import type { MemoryLedgerData } from './memory-ledger-data.ts';
import { MemoryReader } from './memory-reader.ts';

interface MemoryLedgerOptions extends Omit<LaneLedgerOptions, 'execute'> {
  readonly data: MemoryLedgerData;
}

/** The ledger of tests and simulations: the lanes and rules of the real one, on data in memory. */
export class MemoryLedger extends LaneLedger implements PointsReader, LedgerAuditor {
  readonly #reader: MemoryReader;

  constructor({ data, ...options }: MemoryLedgerOptions) {
    const book = new MemoryBook(data);
    super({ ...options, execute: async (operations) => book.apply(operations) });
    this.#reader = new MemoryReader(data);
  }

  balanceOf(userId: UserId): Promise<number> {
    return this.#reader.balanceOf(userId);
  }

  listEntries(query: EntryQuery): Promise<EntryPage> {
    return this.#reader.listEntries(query);
  }

  auditSchedule(scheduleId: ScheduleId): Promise<LedgerAudit> {
    return this.#reader.auditSchedule(scheduleId);
  }
}
