import type { DatabaseSync } from 'node:sqlite';
import type { Transactions } from '../../sqlite/transactions.ts';
import { queryRow } from '../../sqlite/typed-rows.ts';
import type { LedgerLink } from '../worker/store-procedures.ts';

/**
 * usher.db and ledger.db belong together: payments are named by the journal, and a ledger of another journal has
 * payments of the same names. Each remembers the other at their first start; whoever opens both refuses a pair
 * that does not match (I5).
 */
export function linkLedger(db: DatabaseSync, transactions: Transactions, ledgerId: string): LedgerLink {
  const read = db.prepare('SELECT id, ledger_id FROM installation', { returnArrays: true });
  const link = db.prepare('UPDATE installation SET ledger_id = ? WHERE ledger_id IS NULL');
  return transactions.durable(() => {
    link.run(ledgerId);
    const [journalId, linkedId] = queryRow<[string, string]>(read)!;
    return { journalId, ledgerId: linkedId };
  });
}
