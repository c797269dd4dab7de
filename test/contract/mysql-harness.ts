import { randomUUID } from 'node:crypto';
import type { MySqlOptions } from '../../src/mysql/mysql-options.ts';
import { openMySqlStore } from '../../src/persistence/mysql/mysql-store.ts';
import { sharedMariaDb } from '../servers/shared-servers.ts';
import type { StoreHarness } from './store-harness.ts';

export const mysqlOptions = (url: string): MySqlOptions => ({
  url,
  tls: undefined,
  statementLimitMs: 4_000,
  slowStatementMs: 2_000,
});

/** A database of its own, on the server that the contract tests share. */
export function mysqlHarness(): StoreHarness {
  const server = sharedMariaDb();
  const database = server.createDatabase();
  return {
    open: async () =>
      openMySqlStore({
        primary: mysqlOptions(await database),
        replica: undefined,
        holder: `test/${randomUUID()}`,
        poolMax: 4,
        onNotice: () => {},
      }),
    dispose: () => void database.then((url) => server.dropDatabase(url)),
  };
}
