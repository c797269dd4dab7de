import type { RunResult } from './run.ts';
import { clusterSeedsFrom, type Scenario } from './scenario.ts';
import { describeSale } from './trace.ts';

/** Of a standing seed. An operation among several nodes takes more time. */
export const standingOperationCount = (seed: number): number => (seed >= clusterSeedsFrom ? 150 : 300);

/** The line that plays a seed again, as it stands. */
export function replayCommand(seed: number, operationCount: number): string {
  const operations = operationCount === standingOperationCount(seed) ? '' : ` SIM_OPS=${operationCount}`;
  return `SIM_SEED=${seed}${operations} npm run test:simulation`;
}

/** @param operationCount of the script before it was shrunk, which is what a replay starts from. */
export function failureReport(scenario: Scenario, result: RunResult, operationCount: number): string {
  const { seed, world, operations } = scenario;
  const [first, ...others] = result.violations;
  return [
    `seed ${seed} breaks ${first?.invariant}: ${first?.message}`,
    ...others.slice(0, 5).map(({ invariant, message }) => `  and ${invariant}: ${message}`),
    `${operationCount} operations, shrunk to ${operations.length}:`,
    ...operations.map((operation) => `  ${JSON.stringify(operation)}`),
    `the world: ${world.users.length} users, ${world.shardCount} shards, ${JSON.stringify(world.limits)}`,
    ...(world.cluster === undefined ? [] : [`  ${JSON.stringify(world.cluster)}`]),
    ...world.sales.map(describeSale),
    'what happened:',
    ...result.traceLines.map((line) => `  ${line}`),
    `replay with: ${replayCommand(seed, operationCount)}`,
  ].join('\n');
}
