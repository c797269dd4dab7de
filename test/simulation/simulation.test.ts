import { availableParallelism } from 'node:os';
import { beforeAll, describe, expect, it } from 'vitest';
import { coverageGaps, coverageSummary } from './coverage.ts';
import { run } from './run.ts';
import { generateScenario } from './scenario.ts';
import { readSettings, type SeedRange } from './settings.ts';
import type { WorkReport } from './work.ts';
import { runInWorkers } from './worker-pool.ts';

const ranges = readSettings(process.env);
/** Time to shrink each failing seed. */
const shrinkMs = 20_000;

const nameOf = ({ world, firstSeed, seedCount, operationCount }: SeedRange): string =>
  `${world}: seeds ${firstSeed} to ${firstSeed + seedCount - 1}, ${operationCount} operations each`;

describe.each(ranges.map((range) => [nameOf(range), range] as const))('%s', (_name, range) => {
  const { firstSeed, seedCount, operationCount } = range;
  let report: WorkReport;

  beforeAll(async () => {
    const order = { firstSeed, endSeed: firstSeed + seedCount, operationCount, shrinkMs };
    report = await runInWorkers(order, Math.min(availableParallelism(), seedCount, 4));
    console.log(coverageSummary(range, report.counts));
  });

  it('I1 to I6 and I8 to I13 hold, and every answer is borne out by the journal', () => {
    if (report.failures.length > 0) {
      throw new Error(report.failures.map((failure) => failure.report).join('\n\n'));
    }
    expect(report.seedsRun).toBe(seedCount);
  });

  it('went through everything that it is meant to go through', () => {
    expect(coverageGaps(range, report.counts)).toEqual([]);
  });

  it.each([firstSeed, firstSeed + 1, firstSeed + 2])(
    'seed %i gives the same history every time',
    async (seed) => {
      const first = await run(generateScenario(seed, operationCount));
      const again = await run(generateScenario(seed, operationCount));
      expect(again.traceHash).toBe(first.traceHash);
      expect(first.traceLines.length).toBeGreaterThan(operationCount);
    },
  );

  it('another seed gives another history', async () => {
    const one = await run(generateScenario(firstSeed, operationCount));
    const next = await run(generateScenario(firstSeed + 1, operationCount));
    expect(next.traceHash).not.toBe(one.traceHash);
  });
});
