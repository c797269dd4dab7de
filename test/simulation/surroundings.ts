import type { ScheduleId } from '../../src/actors/allocator/ids.ts';
import type { PaymentFailure } from '../../src/actors/allocator/payment.ts';
import type { JournalRow } from '../../src/actors/runtime/ports.ts';
import { Counters } from './counters.ts';
import { History } from './history.ts';
import { Bank } from './money/bank.ts';
import { CardCompany } from './money/card-company.ts';
import { type Owner, Scheduler } from './scheduler.ts';
import { Database } from './store/database.ts';
import { FaultPlan } from './store/fault-plan.ts';
import { Trace } from './trace.ts';
import type { Invariant, Violation } from './violation.ts';
import { VirtualClock } from './virtual-clock.ts';
import { startWallMs, type World } from './world.ts';

/** What the ledger says of a payment that failed for a reason. */
const statusAfter: Readonly<Record<PaymentFailure['reason'], string>> = {
  'insufficient-points': 'DECLINED',
  declined: 'DECLINED',
  cancelled: 'CANCELLED',
  refunded: 'REFUNDED',
};

/** What all parts of one run share: time, the database, and the books that are kept about them. */
export class Surroundings {
  readonly world: World;
  readonly clock = new VirtualClock(startWallMs);
  readonly scheduler = new Scheduler(this.clock);
  readonly database: Database;
  readonly bank: Bank;
  readonly cardCompany = new CardCompany();
  readonly faults = new FaultPlan();
  readonly history = new History();
  readonly counters = new Counters();
  readonly trace = new Trace();
  /** What was seen to be wrong while it happened; the checks of the history come on top. */
  readonly violations: Violation[] = [];

  constructor(world: World) {
    this.world = world;
    this.database = new Database(world, this.clock, {
      onRefusedRows: (error) => this.violate('I6', `rows refused: ${error}`),
      onRow: (row) => this.#checkLanding(row),
    });
    const modelOf = (scheduleId: ScheduleId) => this.database.model(scheduleId);
    this.bank = new Bank(world, modelOf, (message) => this.violate('I5', message));
  }

  violate(invariant: Invariant, message: string): void {
    this.trace.add(`!! ${invariant}: ${message}`);
    this.violations.push({ invariant, message });
  }

  /** Something was done to the node or its store that it may answer with a 503. */
  noteFault(name: string): void {
    this.counters.add(name);
    this.history.noteFault();
  }

  jumpClock(byMs: number): void {
    this.#noteWallAround(() => this.clock.jump(byMs));
  }

  /** The wall clock of one node is off by so much from now on. */
  skewClock(owner: Owner, byMs: number): void {
    this.#noteWallAround(() => this.clock.skew(owner, byMs));
  }

  #noteWallAround(change: () => void): void {
    this.history.noteWall(this.clock.earliestWallMs);
    change();
    this.history.noteWall(this.clock.earliestWallMs);
  }

  /** I5: S2 says what the ledger has said before. */
  #checkLanding({ scheduleId, seq, type, payload }: JournalRow): void {
    if (type !== 'paid' && type !== 'payment-failed') return;
    const { number, paymentSeq, failure } = JSON.parse(payload);
    const status = this.bank.statusOf(`${scheduleId}-${number}-${paymentSeq}`);
    const wanted = type === 'paid' ? 'APPROVED' : statusAfter[failure.reason as PaymentFailure['reason']];
    if (status === wanted) return;
    this.violate(
      'I5',
      `schedule ${scheduleId}, seq ${seq}: ${type} ${payload}, and the ledger says ${status}`,
    );
  }

  /** Writes the projections of so many events. */
  project(eventCount: number): void {
    try {
      this.database.store.projectSome(eventCount);
    } catch (error) {
      this.violate('I11', `the journal can't be projected: ${error}`);
    }
  }
}
