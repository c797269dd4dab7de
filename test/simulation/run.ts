import type { ScheduleId } from '../../src/actors/allocator/ids.ts';
import type { ProjectionImage } from '../../src/actors/runtime/ports.ts';
import { checkRun } from './checks/check-run.ts';
import type { Evidence } from './checks/evidence.ts';
import { healCluster } from './cluster/cluster-heal.ts';
import { ClusterSimulation } from './cluster/cluster-simulation.ts';
import { heal } from './heal.ts';
import { OneNodeSimulation } from './one-node-simulation.ts';
import { Prng } from './prng.ts';
import type { Scenario } from './scenario.ts';
import type { Simulation } from './simulation.ts';
import type { Violation } from './violation.ts';

export interface RunResult {
  /** In the order in which they came to light; empty = the run is good. */
  readonly violations: readonly Violation[];
  readonly counts: Record<string, number>;
  readonly traceLines: readonly string[];
  readonly traceHash: string;
}

/** Plays a scenario to its end and judges it. The same scenario always gives the same result. */
export async function run(scenario: Scenario): Promise<RunResult> {
  const { simulation, heal: end } = worldOf(scenario);
  const onRejection = (error: unknown) =>
    simulation.violate('no-bug-caught', `a promise was rejected and nobody cared: ${error}`);
  process.on('unhandledRejection', onRejection);
  try {
    const prng = new Prng(scenario.seed);
    await simulation.begin(prng);
    for (const operation of scenario.operations) await simulation.perform(operation);
    await end();
  } finally {
    process.off('unhandledRejection', onRejection);
  }
  const { world, history, database, violations, counters, trace, bank, cardCompany } = simulation;
  const images = await imagesOf(simulation);
  const { models, log } = database;
  const found = checkRun({ world, calls: history.calls, models, log, images, bank, cardCompany });
  return {
    violations: [...violations, ...found],
    counts: counters.toRecord(),
    traceLines: trace.lines,
    traceHash: trace.hash,
  };
}

/** A world of the kind that the scenario is for, and how it ends. */
function worldOf({ world, seed }: Scenario): { readonly simulation: Simulation; heal(): Promise<void> } {
  if (world.cluster === undefined) {
    const simulation = new OneNodeSimulation(world);
    return { simulation, heal: () => heal(simulation) };
  }
  const simulation = new ClusterSimulation(world, world.cluster, seed);
  return { simulation, heal: () => healCluster(simulation) };
}

/** The projections as they stand at the end, with everything that they hold. */
async function imagesOf({ world, database }: Simulation): Promise<Evidence['images']> {
  const images = new Map<ScheduleId, ProjectionImage>();
  for (const { scheduleId } of world.sales) {
    const stored = await database.store.loadSchedule(scheduleId, { endedSinceMs: 0, markedSinceMs: 0 });
    images.set(scheduleId, stored.image);
  }
  return images;
}
