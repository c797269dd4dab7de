import { standingOperationCount } from './report.ts';
import { clusterSeedsFrom } from './scenario.ts';

/** Seeds of one kind of world that are run one after the other. */
export interface SeedRange {
  readonly world: string;
  readonly firstSeed: number;
  readonly seedCount: number;
  readonly operationCount: number;
}

const worlds = [
  { world: 'one node', firstSeed: 1, standingCount: 600 },
  { world: 'several nodes', firstSeed: clusterSeedsFrom, standingCount: 300 },
] as const;

/**
 * All of the standing seeds, or what the environment asks for. `SIM_SEED`: that seed alone. `SIM_SEEDS`: so many of
 * each kind. `SIM_OPS`: operations a seed.
 */
export function readSettings(env: NodeJS.ProcessEnv): readonly SeedRange[] {
  const seed = readCount(env, 'SIM_SEED');
  const seedCount = readCount(env, 'SIM_SEEDS');
  const operations = readCount(env, 'SIM_OPS');
  return worlds.flatMap(({ world, firstSeed, standingCount }): SeedRange[] => {
    const operationCount = operations ?? standingOperationCount(firstSeed);
    if (seed === undefined) {
      return [{ world, firstSeed, seedCount: seedCount ?? standingCount, operationCount }];
    }
    const isOfThisKind = seed >= clusterSeedsFrom === firstSeed >= clusterSeedsFrom;
    return isOfThisKind ? [{ world, firstSeed: seed, seedCount: 1, operationCount }] : [];
  });
}

function readCount(env: NodeJS.ProcessEnv, name: string): number | undefined {
  const text = env[name];
  if (text === undefined) return undefined;
  if (!/^[1-9][0-9]{0,8}$/.test(text))
    throw new RangeError(`${name} is ${text}; it takes a number from 1 on`);
  return Number(text);
}
