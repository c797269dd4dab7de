import { randomUUID } from 'node:crypto';
import { type MySqlLedger, openMySqlLedger } from '../../src/ledger/mysql/mysql-ledger.ts';
import { systemClock } from '../../src/system-clock.ts';
import { sharedMariaDb } from '../servers/shared-servers.ts';
import { type LedgerHarness, silent } from './ledger-harness.ts';
import { mysqlAt } from './mysql-connection.ts';

type Options = Partial<Parameters<typeof openMySqlLedger>[0]>;

/** A ledger of a run of its own, as each start of a process is one. */
export const openLedgerAt = (url: string, options: Options = {}): Promise<MySqlLedger> =>
  openMySqlLedger({
    mysql: mysqlAt(url),
    holder: `test/${randomUUID()}`,
    poolMax: 4,
    clock: systemClock,
    observer: silent,
    onSlowStatement: () => {},
    ...options,
  });

/** A database of the shared server for each. */
export const mysqlLedgerHarness = (lanes: number) => (): LedgerHarness => {
  let url: string | undefined;
  return {
    open: async () => {
      url ??= await sharedMariaDb().createDatabase();
      return openLedgerAt(url, { lanes });
    },
    dispose: async () => {
      if (url !== undefined) await sharedMariaDb().dropDatabase(url);
    },
  };
};
