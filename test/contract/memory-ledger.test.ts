import { ledgerContract } from './ledger-contract.ts';
import { memoryLedgerHarness } from './ledger-harness.ts';
import { ledgerReadsContract } from './ledger-reads-contract.ts';

ledgerContract('the ledger in memory', memoryLedgerHarness);
ledgerReadsContract('the ledger in memory: reads', memoryLedgerHarness);
