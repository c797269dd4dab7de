import type { ScheduleId } from '../../../src/actors/allocator/ids.ts';
import type { LedgerAudit, LedgerAuditor } from '../../../src/actors/runtime/ledger.ts';
import type { Clock } from '../../../src/actors/runtime/ports.ts';
import { LaneLedger } from '../../../src/ledger/lane-ledger.ts';
import { MemoryReader } from '../../../src/ledger/memory/memory-reader.ts';
import type { Bank } from './bank.ts';
import type { LedgerWorkers } from './ledger-workers.ts';

/** The real lanes of one node, over workers that die and a bank that does not. */
export class SimulatedLedger extends LaneLedger implements LedgerAuditor {
  readonly #reader: MemoryReader;

  constructor(options: SimulatedLedgerOptions) {
    super({
      execute: (operations) => options.workers.execute(operations),
      lanes: 2,
      operationsWaitingMax: options.operationsWaitingMax,
      clock: options.clock,
      observer: { onBatch: () => {}, onFault: options.onFault },
    });
    this.#reader = new MemoryReader(options.bank.data);
  }

  /** Asked while the actor stands still; the bank is read at once. */
  auditSchedule(scheduleId: ScheduleId): Promise<LedgerAudit> {
    return this.#reader.auditSchedule(scheduleId);
  }
}

interface SimulatedLedgerOptions {
  readonly bank: Bank;
  readonly workers: LedgerWorkers;
  readonly clock: Clock;
  readonly operationsWaitingMax: number;
  readonly onFault: (fault: string, error: unknown) => void;
}
