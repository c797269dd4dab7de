import { mysqlHarness } from './mysql-harness.ts';
import { storeContract } from './store-contract.ts';

storeContract('the MySQL store', mysqlHarness);
