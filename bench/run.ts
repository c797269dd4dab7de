/**
 * `npm run bench`: everything in bench/README.md but the soak, in one run; prints the table as Markdown and
 * progress on standard error. `npm run bench -- core` (or another part) runs a part, `-- cluster` its
 * four; `-- soak` takes ten minutes.
 */
import { spawnSync } from 'node:child_process';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { clusterCost, clusterForward, clusterIdle, clusterMoves } from './cluster-rows.ts';
import type { CoreFigures } from './core.ts';
import {
  type HttpRatio,
  measureBesideCharges,
  measureBesideLedger,
  measureHttp,
  measureOnMySql,
  measurePayments,
  type ReserveBeside,
} from './http-ratio.ts';
import type { Cost, LedgerFigures } from './ledger.ts';
import type { MemoryFigures } from './memory.ts';
import { startRealServers } from './real-servers.ts';
import type { RecoveryFigures } from './recovery.ts';
import { measureSoak } from './soak.ts';
import { spreadOf } from './spread.ts';
import { measureSustained } from './sustained.ts';
import { type Row, row, show } from './table.ts';

const rounds = Number(process.env['BENCH_ROUNDS'] ?? 5);

/** Runs a bench in a process of its own and reads the JSON of its last line. */
function inOwnProcess<T>(file: string, ...nodeOptions: readonly string[]): T {
  console.error(`bench: ${file}`);
  const script = fileURLToPath(new URL(file, import.meta.url));
  const { status, stdout } = spawnSync(process.execPath, [...nodeOptions, script], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: process.env['PATH'], BENCH_ROUNDS: `${rounds}` },
  });
  if (status !== 0) throw new Error(`${file} ended with ${status}`);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
}

const targets: Readonly<Record<string, string>> = {
  'decision: hold of 2 named seats + evolve': '≤ 400 ns',
  '4 adjacent seats in one row of 64': '≤ 10 ns',
};

const core = (): readonly Row[] =>
  Object.entries(inOwnProcess<CoreFigures>('./core.ts')).map(([what, values]) => ({
    what,
    ...show(spreadOf(values), values.every((value) => value > 100) ? 0 : 1, ' ns'),
    target: targets[what] ?? (what.startsWith('best available') ? '≤ 1 µs' : '–'),
  }));

const ratioRows = (result: HttpRatio, target: string): readonly Row[] => [
  { what: `${result.name}, ${result.connections} connections ÷ echo`, ...show(result.ratio, 2), target },
  { what: '– Usher, requests/s', ...show(result.usherPerSecond, 0), target: '–' },
  { what: '– echo, requests/s', ...show(result.echoPerSecond, 0), target: '–' },
  { what: '– Usher, p99', ...show(result.usherP99Ms, 1, ' ms'), target: '–' },
  { what: '– cores that the client used', ...show(result.clientCpuShare, 2), target: '–' },
];

const http = async (): Promise<readonly Row[]> =>
  (await measureHttp(rounds)).flatMap((result) =>
    ratioRows(result, result.name.startsWith('POST') ? '≥ 1.00' : '≥ 0.80'),
  );

function ledger(): readonly Row[] {
  const figures = inOwnProcess<LedgerFigures>('./ledger.ts');
  const of = (costs: readonly Cost[], figure: keyof Cost) => spreadOf(costs.map((cost) => cost[figure]));
  const ratio = (single: readonly Cost[], batched: readonly Cost[]) =>
    spreadOf(single.map(({ workerMicros }, i) => workerMicros / (batched[i] as Cost).workerMicros));
  const { batched, single, batchedRules, singleRules } = figures;
  return [
    {
      what: 'ledger: worker CPU a payment, batched',
      ...show(of(batched, 'workerMicros'), 1, ' µs'),
      target: '–',
    },
    { what: '– one task and commit each', ...show(of(single, 'workerMicros'), 0, ' µs'), target: '–' },
    { what: '– one each ÷ batched', ...show(ratio(single, batched), 0), target: '≥ 100' },
    { what: '– payments/s, batched', ...show(of(batched, 'perSecond'), 0), target: '–' },
    { what: '– payments/s, one each', ...show(of(single, 'perSecond'), 0), target: '–' },
    {
      what: 'the same without SQL (queue, thread, rules), batched',
      ...show(of(batchedRules, 'workerMicros'), 1, ' µs'),
      target: '–',
    },
    { what: '– one each ÷ batched', ...show(ratio(singleRules, batchedRules), 0), target: '≥ 100' },
  ];
}

async function payments(): Promise<readonly Row[]> {
  const targets: Readonly<Record<number, string>> = { 64: '≥ 0.40', 1000: '≥ 0.55' };
  const ratios = (await measurePayments(rounds)).flatMap((result) =>
    ratioRows(result, targets[result.connections] ?? '–'),
  );
  return [
    ...ratios,
    ...besideRows('a ledger that never rests', await measureBesideLedger(rounds), '< 1.20'),
    ...besideRows('charges that flood the HTTP port', await measureBesideCharges(rounds), '–'),
  ];
}

const besideRows = (what: string, beside: ReserveBeside, target: string): readonly Row[] => [
  { what: `POST /reservations at 1,000/s beside ${what}: p99 ÷ alone`, ...show(beside.growth, 2), target },
  { what: '– p99 alone', ...show(beside.aloneP99Ms, 2, ' ms'), target: '–' },
  { what: '– p99 beside it', ...show(beside.besideP99Ms, 2, ' ms'), target: '–' },
  { what: '– charges/s meanwhile', ...show(beside.chargesPerSecond, 0), target: '–' },
];

async function mysql(): Promise<readonly Row[]> {
  const targets: Readonly<Record<number, string>> = { 64: '≥ 0.70', 1000: '≥ 0.90' };
  const servers = await startRealServers('mysql');
  try {
    return (await measureOnMySql(rounds, servers.mysqlUrl)).flatMap((result) => [
      ...ratioRows(result, targets[result.connections] ?? '–'),
      { what: '– rows a group commit, mean', figure: result.batchRows.toFixed(0), spread: '–', target: '–' },
      { what: '– time of one, mean', figure: `${result.batchMs.toFixed(1)} ms`, spread: '–', target: '–' },
    ]);
  } finally {
    await servers.stop();
  }
}

async function sustained(): Promise<readonly Row[]> {
  const figures = await measureSustained(Number(process.env['SUSTAINED_SECONDS'] ?? 60));
  const rows = figures.samples.map((sample) => ({
    what: `full speed, second ${sample.atSeconds}: reservations/s`,
    figure: `${sample.reservationsPerSecond}`,
    spread: `to project ${sample.projectionLagEvents}, to publish ${sample.unpublishedEvents}`,
    target: 'bounded',
  }));
  const catchUp = `${figures.catchUpSeconds.toFixed(1)} s`;
  return [
    ...rows,
    { what: '– until all was projected and published', figure: catchUp, spread: '–', target: '–' },
  ];
}

async function soak(): Promise<readonly Row[]> {
  const figures = await measureSoak(Number(process.env['SOAK_SECONDS'] ?? 600));
  const { booking, samples, warnings } = figures;
  const warm = samples.filter(({ atSeconds }) => atSeconds >= figures.seconds / 5);
  const resident = spreadOf(warm.map(({ residentMegabytes }) => residentMegabytes));
  const lag = Math.max(...samples.map(({ projectionLagEvents }) => projectionLagEvents));
  const unpublished = Math.max(...samples.map(({ unpublishedEvents }) => unpublishedEvents));
  console.error(JSON.stringify({ statuses: booking.statuses, warnings, samples }, undefined, 1));
  return [
    row(`charge and book, ${figures.seconds} s: requests/s`, booking.requestsPerSecond.toFixed(0), '500'),
    row('– p99', `${booking.p99Ms.toFixed(1)} ms`),
    {
      what: '– resident memory after warm-up',
      ...show(resident, 0, ' MB'),
      target: '± 10 %',
    },
    row('– largest lag of the projection, events', `${lag}`),
    row('– most unpublished events', `${unpublished}`),
    row('– balances from the cache', figures.balanceHitRatio.toFixed(2)),
    row('– warnings, of drivers and of Node', `${warnings.length}`, '0'),
    row('– audit of every schedule', figures.isSound ? 'ok' : 'FAILED', 'ok'),
  ];
}

const megabytes = (bytes: number) => `${(bytes / 1_000_000).toFixed(2)} MB`;

function memory(): readonly Row[] {
  const figures = inOwnProcess<MemoryFigures>('./memory.ts', '--expose-gc');
  return [
    {
      what: '50,000-seat schedule, empty',
      figure: megabytes(figures.emptyScheduleBytes),
      spread: '–',
      target: '< 1 MB',
    },
    {
      what: 'the same with 25,000 one-seat reservations and their keys',
      figure: megabytes(figures.soldScheduleBytes),
      spread: '–',
      target: '< 16 MB',
    },
    {
      what: 'the compiled hall that they share',
      figure: megabytes(figures.hallBytes),
      spread: '–',
      target: '–',
    },
  ];
}

function recovery(): readonly Row[] {
  const figures = inOwnProcess<RecoveryFigures>('./recovery.ts');
  return [
    {
      what: `recovery of ${figures.liveSeats.toLocaleString('en')} live seats in ${figures.reservations.toLocaleString('en')} reservations`,
      ...show(spreadOf(figures.seconds), 2, ' s'),
      target: '< 5 s',
    },
  ];
}

const parts: Readonly<Record<string, () => readonly Row[] | Promise<readonly Row[]>>> = {
  core,
  memory,
  recovery,
  http,
  ledger,
  payments,
  mysql,
  sustained,
  'cluster-forward': () => clusterForward(rounds),
  'cluster-cost': () => clusterCost(rounds),
  'cluster-moves': clusterMoves,
  'cluster-idle': clusterIdle,
  soak,
};
/** Runs only when it is named. */
const slow = ['soak'];
const clusterParts = Object.keys(parts).filter((part) => part.startsWith('cluster-'));
const wanted = process.argv.slice(2).flatMap((part) => (part === 'cluster' ? clusterParts : [part]));
const unknown = wanted.filter((part) => parts[part] === undefined);
if (unknown.length > 0) {
  console.error(`bench: no part ${unknown.join(', ')}; there are ${Object.keys(parts).join(', ')}, cluster`);
  process.exit(2);
}

console.log(
  `${cpus().length} × ${cpus()[0]?.model.trim()}, Node ${process.version}, ${rounds} rounds, median and spread\n`,
);
console.log('| what | median | spread | target |\n|---|---|---|---|');
for (const [name, part] of Object.entries(parts)) {
  if (wanted.length > 0 ? !wanted.includes(name) : slow.includes(name)) continue;
  for (const row of await part())
    console.log(`| ${row.what} | ${row.figure} | ${row.spread} | ${row.target} |`);
}
