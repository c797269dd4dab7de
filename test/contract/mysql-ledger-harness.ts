import { randomUUID } from 'node:crypto';
import { type MySqlLedger, openMySqlLedger } from '../../src/ledger/mysql/mysql-ledger.ts';
import type { MySqlOptions } from '../../src/mysql/mysql-options.ts';
import { systemClock } from '../../src/system-clock.ts';
import { sharedMariaDb } from '../servers/shared-servers.ts';
import { type LedgerHarness, silent } from './ledger-harness.ts';

export const mysqlAt = (url: string): MySqlOptions => ({
  url,
  tls: undefined,
  statementLimitMs: 5_000,
  slowStatementMs: 1_000,
});

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
