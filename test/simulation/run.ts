import type { ScheduleId } from '../../src/actors/allocator/ids.ts';
import type { ProjectionImage } from '../../src/actors/runtime/ports.ts';
import { checkRun } from './checks/check-run.ts';
import type { Evidence } from './checks/evidence.ts';
import { heal } from './heal.ts';
import type { Scenario } from './operation-generator.ts';
import { Prng } from './prng.ts';
import { Simulation } from './simulation.ts';
import type { Violation } from './violation.ts';

export interface RunResult {
  /** In the order in which they came to light; empty = the run is good. */
  readonly violations: readonly Violation[];
  readonly counts: Record<string, number>;
  readonly traceLines: readonly string[];
  readonly traceHash: string;
}

/** Turns that the first node has for its start, before the script begins. */
const startTurns = 20;

/** Plays a scenario to its end and judges it. The same scenario always gives the same result. */
export async function run(scenario: Scenario): Promise<RunResult> {
  const simulation = new Simulation(scenario.world);
  const onRejection = (error: unknown) =>
    simulation.violate('no-bug-caught', `a promise was rejected and nobody cared: ${error}`);
  process.on('unhandledRejection', onRejection);
  try {
    const prng = new Prng(scenario.seed);
    for (let turn = 0; turn < startTurns; turn++) await simulation.turn(prng);
    for (const operation of scenario.operations) await simulation.perform(operation);
    await heal(simulation);
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

/** The projections as they stand at the end, with everything that they hold. */
async function imagesOf({ world, database }: Simulation): Promise<Evidence['images']> {
  const images = new Map<ScheduleId, ProjectionImage>();
  for (const { scheduleId } of world.sales) {
    const stored = await database.store.loadSchedule(scheduleId, { endedSinceMs: 0, markedSinceMs: 0 });
    images.set(scheduleId, stored.image);
  }
  return images;
}
