/**
 * `npm test`: lint and format, types, then every vitest project, one after the other. Integration tests start
 * processes and mind the clock, so nothing else runs beside them.
 *
 * `npm test -- --project unit` (more than one may be named) runs these projects alone.
 *
 * The last line is `N passed, N failed`, counted in tests; lint and types count as one each. A skipped test
 * has failed, and so has a project in which no test ran.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

interface Tally {
  readonly passed: number;
  readonly failed: number;
}

interface Step {
  readonly name: string;
  readonly run: () => Tally;
}

/** The part of vitest's JSON report that is counted. */
interface VitestReport {
  readonly testResults: readonly {
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

const root = fileURLToPath(new URL('..', import.meta.url));
const binaries = join(root, 'node_modules', '.bin');

function runsWell(binary: string, args: readonly string[]): boolean {
  const { status } = spawnSync(join(binaries, binary), args, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    // The tools start with `env node`, which must be the project's own.
    env: { ...process.env, PATH: `${binaries}${delimiter}${process.env['PATH']}` },
  });
  return status === 0;
}

const check = (name: string, binary: string, args: readonly string[]): Step => ({
  name,
  run: () => (runsWell(binary, args) ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 }),
});

const project = (name: string, ...args: readonly string[]): Step => ({
  name,
  run: () => {
    const folder = mkdtempSync(join(tmpdir(), 'usher-test-'));
    const reportPath = join(folder, 'report.json');
    try {
      const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${reportPath}`];
      const isWell = runsWell('vitest', ['run', '--project', name, ...reporters, ...args]);
      return count(readReport(reportPath), isWell);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
});

function readReport(path: string): VitestReport {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    console.error(`usher: vitest left no report (${error})`);
    return { testResults: [] };
  }
}

/** What vitest calls a failure and no test accounts for (a file that can't be loaded, a stray error) is one. */
function count(report: VitestReport, isWell: boolean): Tally {
  let passed = 0;
  let failed = 0;
  for (const { status, assertionResults } of report.testResults) {
    const passedHere = assertionResults.filter((result) => result.status === 'passed').length;
    const failedHere = assertionResults.length - passedHere;
    passed += passedHere;
    failed += failedHere === 0 && (status !== 'passed' || passedHere === 0) ? 1 : failedHere;
  }
  const isSilentFailure = failed === 0 && (!isWell || passed === 0);
  return { passed, failed: isSilentFailure ? 1 : failed };
}

const checks: readonly Step[] = [check('lint', 'biome', ['check', '.']), check('types', 'tsc', ['--noEmit'])];

const projects: readonly Step[] = [
  project('architecture'),
  project('unit'),
  project('contract'),
  project('simulation'),
  project('integration', '--no-file-parallelism'),
];

function stepsFor(wanted: readonly string[] | undefined): readonly Step[] {
  if (wanted === undefined) return [...checks, ...projects];
  const unknown = wanted.filter((name) => !projects.some((step) => step.name === name));
  if (unknown.length === 0) return projects.filter(({ name }) => wanted.includes(name));
  console.error(`usher: no such project: ${unknown.join(', ')}`);
  console.error(`usher: there are ${projects.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}

const { values } = parseArgs({ options: { project: { type: 'string', multiple: true } } });
const lines: string[] = [];
const total = { passed: 0, failed: 0 };
for (const { name, run } of stepsFor(values.project)) {
  console.log(`\n── ${name} ${'─'.repeat(70 - name.length)}`);
  const startedMs = performance.now();
  const { passed, failed } = run();
  const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1);
  total.passed += passed;
  total.failed += failed;
  lines.push(
    `${failed === 0 ? 'ok  ' : 'FAIL'} ${name.padEnd(13)}${`${passed} passed, ${failed} failed`.padEnd(28)}${seconds} s`,
  );
}
console.log(`\n${lines.join('\n')}\n`);
process.exitCode = total.failed === 0 ? 0 : 1;
console.log(`${total.passed} passed, ${total.failed} failed`);
