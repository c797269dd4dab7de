import { ledgerContract } from './ledger-contract.ts';
import { memoryLedgerHarness, sqliteLedgerHarness } from './ledger-harness.ts';

ledgerContract('the ledger in memory', memoryLedgerHarness);
ledgerContract('the ledger in SQLite', sqliteLedgerHarness(1));
ledgerContract('the ledger in SQLite with three lanes', sqliteLedgerHarness(3));
