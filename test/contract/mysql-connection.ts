import type { MySqlOptions } from '../../src/mysql/mysql-options.ts';

export const mysqlAt = (url: string): MySqlOptions => ({
  url,
  tls: undefined,
  statementLimitMs: 5_000,
  slowStatementMs: 1_000,
});
