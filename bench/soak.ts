/**
 * Ten minutes of charge-and-book at 500 requests a second with MySQL, Kafka and Redis: does it stay as it is? Tells
 * resident memory over time, what was warned of, and how many balances came from the cache. SOAK_SECONDS shortens it.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { BookingPlan, BookingResult } from './booking-plan.ts';
import { residentMegabytes } from './process-usage.ts';
import { startRealServers } from './real-servers.ts';
import { BenchUsher } from './servers.ts';

export interface SoakSample {
  readonly atSeconds: number;
  readonly residentMegabytes: number;
  readonly projectionLagEvents: number;
  readonly unpublishedEvents: number;
}

export interface SoakFigures {
  readonly seconds: number;
  readonly booking: BookingResult;
  readonly samples: readonly SoakSample[];
  readonly balanceHitRatio: number;
  /** Lines that the node wrote at level warn or above, and Node's own warnings. */
  readonly warnings: readonly string[];
  readonly isSound: boolean;
}

const sampleMs = 10_000;
const schedules = 4;

export async function measureSoak(seconds: number): Promise<SoakFigures> {
  const servers = await startRealServers('all');
  let usher: BenchUsher | undefined;
  try {
    usher = await BenchUsher.start({
      environment: {
        ...servers.environment,
        // Those who neither pay nor cancel lose their seats within the run.
        HOLD_TTL_SECONDS: '30',
        HOLD_TOTAL_MAX_SECONDS: '60',
      },
    });
    return await measure(usher, seconds);
  } finally {
    await usher?.stop();
    await servers.stop();
  }
}

async function measure(usher: BenchUsher, seconds: number): Promise<SoakFigures> {
  const scheduleIds = await usher.createSchedules(schedules);
  const samples: SoakSample[] = [];
  const startedMs = performance.now();
  const timer = setInterval(async () => {
    const metrics = await usher.metrics();
    samples.push({
      atSeconds: Math.round((performance.now() - startedMs) / 1_000),
      residentMegabytes: residentMegabytes(usher.pid),
      projectionLagEvents: metrics.get('usher_projection_lag_events') ?? 0,
      unpublishedEvents: metrics.get('usher_unpublished_events') ?? 0,
    });
    console.error('soak:', samples.at(-1));
  }, sampleMs);
  const booking = await book({
    host: '127.0.0.1',
    port: usher.port,
    seconds,
    requestsPerSecond: 500,
    peopleAtOnce: 64,
    tokens: usher.tokens,
    performanceId: usher.performanceId,
    scheduleIds,
    keyPrefix: 'soak',
  }).finally(() => clearInterval(timer));
  const metrics = await usher.metrics();
  const sound = await Promise.all(scheduleIds.map((scheduleId) => usher.isSound(scheduleId)));
  return {
    seconds,
    booking,
    samples,
    balanceHitRatio: metrics.get('usher_cache_hit_ratio{cache="balance"}') ?? 0,
    warnings: usher.output.split('\n').filter((line) => /"level":"(?:warn|error|fatal)"|Warning/.test(line)),
    isSound: sound.every((isSound) => isSound),
  };
}

function book(plan: BookingPlan): Promise<BookingResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [fileURLToPath(new URL('./booking-client.ts', import.meta.url))], {
      env: { PATH: process.env['PATH'], BOOKING_PLAN: JSON.stringify(plan) },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    child.once('exit', (code) =>
      code === 0 ? resolve(JSON.parse(text)) : reject(new Error(`the booking client ended with ${code}`)),
    );
  });
}
