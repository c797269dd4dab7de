import type { UserId } from '../../../src/actors/allocator/ids.ts';
import type {
  ChargeOutcome,
  EntryPage,
  EntryQuery,
  Ledger,
  PointsCharge,
  PointsReader,
} from '../../../src/actors/runtime/ledger.ts';

/** A ledger that answers what the test says and remembers what it was asked. */
export class ScriptedLedger implements Pick<Ledger, 'charge'>, PointsReader {
  readonly charges: PointsCharge[] = [];
  readonly balanceReads: UserId[] = [];
  readonly queries: EntryQuery[] = [];

  onCharge: (charge: PointsCharge) => Promise<ChargeOutcome> = async ({ amount }) => ({
    kind: 'charged',
    entryId: 1,
    balance: amount,
    replayed: false,
  });
  onBalance: () => Promise<number> = async () => 0;
  onEntries: (query: EntryQuery) => Promise<EntryPage> = async () => ({ entries: [], hasMore: false });

  charge(charge: PointsCharge): Promise<ChargeOutcome> {
    this.charges.push(charge);
    return this.onCharge(charge);
  }

  balanceOf(userId: UserId): Promise<number> {
    this.balanceReads.push(userId);
    return this.onBalance();
  }

  listEntries(query: EntryQuery): Promise<EntryPage> {
    this.queries.push(query);
    return this.onEntries(query);
  }
}
