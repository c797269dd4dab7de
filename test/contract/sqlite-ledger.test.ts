import { ledgerContract } from './ledger-contract.ts';
import { sqliteLedgerHarness } from './ledger-harness.ts';
import { ledgerReadsContract } from './ledger-reads-contract.ts';

ledgerContract('the ledger in SQLite', sqliteLedgerHarness(1));
ledgerReadsContract('the ledger in SQLite: reads', sqliteLedgerHarness(1));
