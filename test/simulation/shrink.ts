import type { Operation } from './operation.ts';
import { type RunResult, run } from './run.ts';
import type { Scenario } from './scenario.ts';
import type { Invariant } from './violation.ts';

export interface Shrunk {
  readonly scenario: Scenario;
  readonly result: RunResult;
  /** No single operation can be left out; false when the time ran out first. */
  readonly isMinimal: boolean;
}

/**
 * The shortest script found that still breaks the invariant: takes out chunks, halves first, then ever
 * smaller ones, until no single operation can go (delta debugging: Zeller and Hildebrandt, 2002).
 *
 * @param deadlineMs on the clock of `performance.now()`; the best so far is returned then.
 */
export async function shrink(scenario: Scenario, invariant: Invariant, deadlineMs: number): Promise<Shrunk> {
  const attempt = async (operations: readonly Operation[]): Promise<Shrunk | undefined> => {
    const candidate = { ...scenario, operations };
    const result = await run(candidate);
    const fails = result.violations.some((violation) => violation.invariant === invariant);
    return fails ? { scenario: candidate, result, isMinimal: false } : undefined;
  };
  let best = await attempt(scenario.operations);
  if (best === undefined) throw new RangeError(`seed ${scenario.seed} does not break ${invariant}`);

  let chunkLength = Math.ceil(best.scenario.operations.length / 2);
  for (;;) {
    const { length } = best.scenario.operations;
    let from = 0;
    while (from < best.scenario.operations.length) {
      if (performance.now() > deadlineMs) return best;
      const { operations } = best.scenario;
      const shorter = await attempt([...operations.slice(0, from), ...operations.slice(from + chunkLength)]);
      if (shorter === undefined) from += chunkLength;
      else best = shorter;
    }
    if (chunkLength > 1) chunkLength = Math.ceil(chunkLength / 2);
    else if (best.scenario.operations.length === length) return { ...best, isMinimal: true };
  }
}
