import { ledgerContract } from './ledger-contract.ts';
import { memoryLedgerHarness } from './ledger-harness.ts';

ledgerContract('the ledger in memory', memoryLedgerHarness);
