/**
 * Usher beside a bare node:http echo, behind the same client, in one run: A B A B …, the ratio pair by pair.
 * The client, the server and the store's worker share the machine's cores.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { benchHall } from './bench-hall.ts';
import type { LoadPlan, LoadResult } from './load-plan.ts';
import { BenchUsher, type EchoServer, startEcho } from './servers.ts';
import { type Spread, spreadOf } from './spread.ts';

export interface HttpRatio {
  readonly name: string;
  readonly connections: number;
  readonly ratio: Spread;
  readonly usherPerSecond: Spread;
  readonly echoPerSecond: Spread;
  readonly usherP99Ms: Spread;
  readonly clientCpuShare: Spread;
}

const seatsPerSchedule = benchHall.rows * benchHall.seatsPerRow;
const warmUpMs = 2_000;
const measureMs = Number(process.env['BENCH_MEASURE_MS'] ?? 4_000);
/** Enough schedules for the fastest round that this machine could run. */
const schedulesPerRound = Math.ceil(((warmUpMs + measureMs) * 60) / seatsPerSchedule) + 1;

export async function measureHttp(rounds: number): Promise<readonly HttpRatio[]> {
  const usher = await BenchUsher.start();
  let echo: EchoServer | undefined;
  try {
    const [probe = 0] = await usher.createSchedules(1);
    echo = await startEcho(await usher.answerBytes(probe));
    const etag = await usher.availabilityTag(probe);
    const results: HttpRatio[] = [];
    // Not counted: the compiler learns the code, and the token cache fills.
    await compare('warm-up', 64, 1, usher, echo, { kind: 'reserve', etag, path: '/reservations' });
    for (const connections of [64, 1_000]) {
      results.push(
        await compare('POST /reservations', connections, rounds, usher, echo, {
          kind: 'reserve',
          etag,
          path: '/reservations',
        }),
      );
    }
    for (const connections of [64]) {
      const path = `/reservations/available/seat?scheduleId=${probe}`;
      results.push(
        await compare('available/seat, matching ETag', connections, rounds, usher, echo, {
          kind: 'etag',
          etag,
          path,
        }),
      );
    }
    return results;
  } finally {
    await echo?.stop();
    await usher.stop();
  }
}

async function compare(
  name: string,
  connections: number,
  rounds: number,
  usher: BenchUsher,
  echo: EchoServer,
  request: Pick<LoadPlan, 'kind' | 'etag' | 'path'>,
): Promise<HttpRatio> {
  const ushers: LoadResult[] = [];
  const echoes: LoadResult[] = [];
  for (let round = 0; round < rounds; round++) {
    const scheduleIds = request.kind === 'reserve' ? await usher.createSchedules(schedulesPerRound) : [];
    const plan = {
      ...request,
      host: '127.0.0.1',
      connections,
      warmUpMs,
      measureMs,
      tokens: usher.tokens,
      scheduleIds,
      seatsPerSchedule,
      seatsPerRow: benchHall.seatsPerRow,
      keyPrefix: `${name}-${connections}-${round}`.replaceAll(' ', ''),
    };
    const expected = request.kind === 'reserve' ? '201' : '304';
    ushers.push(await load({ ...plan, port: usher.port }, expected));
    echoes.push(await load({ ...plan, port: echo.port }, expected));
    const [mine, ruler] = [ushers.at(-1)?.perSecond ?? 0, echoes.at(-1)?.perSecond ?? 1];
    console.error(
      `${name}, ${connections} connections, round ${round + 1}: ${mine.toFixed(0)} / ${ruler.toFixed(0)} = ${(mine / ruler).toFixed(2)}`,
    );
  }
  return {
    name,
    connections,
    ratio: spreadOf(ushers.map((result, i) => result.perSecond / (echoes[i] as LoadResult).perSecond)),
    usherPerSecond: spreadOf(ushers.map((result) => result.perSecond)),
    echoPerSecond: spreadOf(echoes.map((result) => result.perSecond)),
    usherP99Ms: spreadOf(ushers.map((result) => result.p99Ms)),
    clientCpuShare: spreadOf(ushers.map((result) => result.clientCpuShare)),
  };
}

/** Runs the load generator in its own process; fails unless every answer had the expected status. */
function load(plan: LoadPlan, expectedStatus: string): Promise<LoadResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [fileURLToPath(new URL('./load-client.ts', import.meta.url))], {
      env: { PATH: process.env['PATH'], LOAD_PLAN: JSON.stringify(plan) },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    child.once('exit', (code) => {
      if (code !== 0) return reject(new Error(`the load generator ended with ${code}`));
      const result: LoadResult = JSON.parse(text);
      const others = Object.keys(result.statuses).filter((status) => status !== expectedStatus);
      if (others.length > 0)
        return reject(new Error(`unexpected answers: ${JSON.stringify(result.statuses)}`));
      resolve(result);
    });
  });
}
