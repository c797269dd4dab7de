import { sqliteHarness } from './sqlite-harness.ts';
import { storeContract } from './store-contract.ts';

storeContract('the SQLite store', sqliteHarness);
