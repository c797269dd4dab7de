import { ledgerContract } from './ledger-contract.ts';
import { ledgerReadsContract } from './ledger-reads-contract.ts';
import { mysqlLedgerHarness } from './mysql-ledger-harness.ts';

ledgerContract('the ledger in MySQL with four lanes', mysqlLedgerHarness(4));
ledgerContract('the ledger in MySQL with one lane', mysqlLedgerHarness(1));
ledgerReadsContract('the ledger in MySQL: reads', mysqlLedgerHarness(4));
