import { defaultOperationCount } from './report.ts';

/** Which seeds are run: all of the standing ones, or what the environment asks for. */
export interface SimulationSettings {
  readonly firstSeed: number;
  readonly seedCount: number;
  readonly operationCount: number;
}

/** `SIM_SEED`: that seed alone. `SIM_SEEDS`: so many, from 1 on. `SIM_OPS`: operations a seed. */
export function readSettings(env: NodeJS.ProcessEnv): SimulationSettings {
  const seed = readCount(env, 'SIM_SEED');
  return {
    firstSeed: seed ?? 1,
    seedCount: seed === undefined ? (readCount(env, 'SIM_SEEDS') ?? 500) : 1,
    operationCount: readCount(env, 'SIM_OPS') ?? defaultOperationCount,
  };
}

function readCount(env: NodeJS.ProcessEnv, name: string): number | undefined {
  const text = env[name];
  if (text === undefined) return undefined;
  if (!/^[1-9][0-9]{0,8}$/.test(text))
    throw new RangeError(`${name} is ${text}; it takes a number from 1 on`);
  return Number(text);
}
