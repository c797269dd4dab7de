import { describe, expect, it } from 'vitest';
import { allPlantedBugs } from './planted-bugs/all-planted-bugs.ts';
import { gateBugs } from './planted-bugs/gate-bugs.ts';
import type { PlantedBug } from './planted-bugs/planted-bug.ts';
import { plant } from './planted-bugs/planted-copy.ts';
import { replayCommand, standingOperationCount } from './report.ts';
import { clusterSeedsFrom } from './scenario.ts';
import type { WorkReport } from './work.ts';
import { runInWorker } from './worker-pool.ts';

/** A subset of the seeds that pass without the bug: what fails here fails for the bug alone. */
const seedsMax = { 'one node': 600, cluster: 300 } as const;

async function runPlanted(bug: PlantedBug, shrinkMs: number): Promise<WorkReport> {
  const copy = plant(bug);
  const firstSeed = bug.world === 'cluster' ? clusterSeedsFrom : 1;
  const order = {
    firstSeed,
    endSeed: firstSeed + seedsMax[bug.world ?? 'one node'],
    stride: 1,
    operationCount: standingOperationCount(firstSeed),
    until: bug.breaks,
    shrinkMs,
  };
  try {
    return await runInWorker(order, copy.worker);
  } finally {
    copy.remove();
  }
}

describe('a planted bug is caught', () => {
  it.concurrent.each(allPlantedBugs)('$breaks: $name', async (bug) => {
    const { failures, seedsRun } = await runPlanted(bug, 0);
    const broken = failures.at(-1)?.invariants ?? [];
    expect(broken, `in ${seedsRun} seeds`).toContain(bug.breaks);
  });

  it('each has a name of its own, and there are plenty', () => {
    expect(new Set(allPlantedBugs.map(({ name }) => name)).size).toBe(allPlantedBugs.length);
    expect(allPlantedBugs.length).toBeGreaterThanOrEqual(99);
  });

  it('cannot be planted where the code has moved on', () => {
    const [bug] = gateBugs as [PlantedBug];
    const edits = bug.edits.map((edit) => ({ ...edit, find: 'no such line' }));
    expect(() => plant({ ...bug, edits })).toThrow('0 places, not 1');
  });
});

describe('a failing seed', () => {
  it('is told with its shortest script and the command that plays it again', async () => {
    const { failures } = await runPlanted(gateBugs[1] as PlantedBug, 60_000);
    const failure = failures.at(-1);
    expect(failure?.isMinimal).toBe(true);
    // Somebody holds, somebody wants the same seat before the first is durable.
    expect(failure?.operationCount).toBeLessThanOrEqual(6);
    expect(failure?.report).toMatch(/^seed \d+ breaks I9: /);
    expect(failure?.report).toContain('which no durable state bears out');
    const seed = failure?.seed ?? 0;
    expect(failure?.report).toContain(replayCommand(seed, standingOperationCount(seed)));
  });
});
