import { ledgerContract } from './ledger-contract.ts';
import { sqliteLedgerHarness } from './ledger-harness.ts';

ledgerContract('the ledger in SQLite', sqliteLedgerHarness(1));
