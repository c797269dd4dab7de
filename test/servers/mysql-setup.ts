import type { TestProject } from 'vitest/node';
import { startMariaDb } from '../../scripts/servers/mariadb.ts';
import { provideServer } from './provided-server.ts';

/** Files run beside each other, and each has its pools. */
const variables = { max_connections: 500 };

/** One MariaDB for a project of tests: each of them makes a database of its own in it. */
export function setup(project: TestProject): Promise<() => Promise<void>> {
  return provideServer(project, 'mysqlUrl', 'TEST_MYSQL_URL', async () => {
    const server = await startMariaDb({ variables });
    return { address: server.url, stop: () => server.stop() };
  });
}
