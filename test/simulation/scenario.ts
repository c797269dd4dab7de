import { ClusterScript } from './cluster/cluster-script.ts';
import { generateClusterWorld } from './cluster/cluster-world-generator.ts';
import type { Operation } from './operation.ts';
import { OperationGenerator } from './operation-generator.ts';
import { Prng } from './prng.ts';
import type { World } from './world.ts';
import { generateWorld } from './world-generator.ts';

/** Everything that a run needs to know: the same scenario runs the same way. */
export interface Scenario {
  readonly seed: number;
  readonly world: World;
  readonly operations: readonly Operation[];
}

/** Seeds from here on are worlds with several nodes; those below have one. */
export const clusterSeedsFrom = 1_000_001;

export function generateScenario(seed: number, operationCount: number): Scenario {
  const prng = new Prng(seed);
  if (seed >= clusterSeedsFrom) {
    const world = generateClusterWorld(prng);
    return { seed, world, operations: new ClusterScript(prng, world).generate(operationCount) };
  }
  const world = generateWorld(prng);
  return { seed, world, operations: new OperationGenerator(prng, world).generate(operationCount) };
}
