import { parentPort, workerData } from 'node:worker_threads';
import { Counters } from './counters.ts';
import { failureReport } from './report.ts';
import { type RunResult, run } from './run.ts';
import { generateScenario, type Scenario } from './scenario.ts';
import { shrink } from './shrink.ts';
import type { Failure, WorkOrder, WorkReport } from './work.ts';

/**
 * Runs seeds in a thread of its own: beside the other cores' work, and where an unhandled rejection of the
 * code under test is a finding of the run and not the end of the test runner.
 */
const failuresMax = 3;

async function work(order: WorkOrder): Promise<WorkReport> {
  const counters = new Counters();
  const failures: Failure[] = [];
  let seedsRun = 0;
  for (let seed = order.firstSeed; seed < order.endSeed; seed += order.stride) {
    const scenario = generateScenario(seed, order.operationCount);
    const result = await run(scenario);
    seedsRun += 1;
    counters.merge(result.counts);
    if (result.violations.length === 0) continue;
    failures.push(await toFailure(scenario, result, order));
    const isFound = result.violations.some(({ invariant }) => invariant === order.until);
    if (order.until === undefined ? failures.length >= failuresMax : isFound) break;
  }
  return { seedsRun, counts: counters.toRecord(), failures };
}

async function toFailure(scenario: Scenario, result: RunResult, order: WorkOrder): Promise<Failure> {
  const invariants = [...new Set(result.violations.map(({ invariant }) => invariant))];
  const wanted = order.until !== undefined && invariants.includes(order.until) ? order.until : invariants[0];
  if (wanted === undefined) throw new RangeError('a failure has broken something');
  const shrunk =
    order.shrinkMs === 0
      ? { scenario, result, isMinimal: false }
      : await shrink(scenario, wanted, performance.now() + order.shrinkMs);
  return {
    seed: scenario.seed,
    invariants: [wanted, ...invariants.filter((invariant) => invariant !== wanted)],
    operationCount: shrunk.scenario.operations.length,
    isMinimal: shrunk.isMinimal,
    report: failureReport(shrunk.scenario, shrunk.result, order.operationCount),
  };
}

parentPort?.postMessage(await work(workerData as WorkOrder));
