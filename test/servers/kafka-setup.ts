import type { TestProject } from 'vitest/node';
import { startKafka } from '../../scripts/servers/kafka.ts';
import { provideServer } from './provided-server.ts';

/** One Kafka for a project of tests: each of them has topics and consumer groups of its own. */
export function setup(project: TestProject): Promise<() => Promise<void>> {
  return provideServer(project, 'kafkaBrokers', 'TEST_KAFKA_BROKERS', async () => {
    const server = await startKafka();
    return { address: server.brokers, stop: () => server.stop() };
  });
}
