import type { TestProject } from 'vitest/node';
import { startRedis } from '../../scripts/servers/redis.ts';
import { provideServer } from './provided-server.ts';

/** One Redis for a project of tests: each of them has a prefix of its own for its keys. */
export function setup(project: TestProject): Promise<() => Promise<void>> {
  return provideServer(project, 'redisUrl', 'TEST_REDIS_URL', async () => {
    const server = await startRedis();
    return { address: server.url, stop: () => server.stop() };
  });
}
