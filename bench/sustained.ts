/**
 * A minute at full speed with MySQL, Kafka and Redis: what is decided, what people can query, and what is
 * published, side by side in time. The projection and the publisher share two cores and one disk with the sales.
 */
import { benchHall } from './bench-hall.ts';
import { startRealServers } from './real-servers.ts';
import { load } from './run-load.ts';
import { BenchUsher } from './servers.ts';

export interface SustainedSample {
  readonly atSeconds: number;
  /** Since the sample before. */
  readonly reservationsPerSecond: number;
  readonly projectionLagEvents: number;
  readonly unpublishedEvents: number;
}

export interface SustainedFigures {
  readonly samples: readonly SustainedSample[];
  readonly reservationsPerSecond: number;
  /** From the last reservation until everything was projected and published. */
  readonly catchUpSeconds: number;
}

const connections = 64;
const sampleMs = 5_000;
const seatsPerSchedule = benchHall.rows * benchHall.seatsPerRow;
/** More than this machine was ever seen to hold a second. */
const reservationsPerSecondMax = 40_000;

export async function measureSustained(seconds: number): Promise<SustainedFigures> {
  const servers = await startRealServers('all');
  let usher: BenchUsher | undefined;
  try {
    usher = await BenchUsher.start({ environment: servers.environment });
    return await measure(usher, seconds);
  } finally {
    await usher?.stop();
    await servers.stop();
  }
}

async function measure(usher: BenchUsher, seconds: number): Promise<SustainedFigures> {
  const warmUpMs = 2_000;
  const schedules = Math.ceil(((seconds + 2) * reservationsPerSecondMax) / seatsPerSchedule);
  const plan = {
    kind: 'reserve',
    host: '127.0.0.1',
    port: usher.port,
    path: '/reservations',
    connections,
    warmUpMs,
    measureMs: seconds * 1_000,
    tokens: usher.tokens,
    scheduleIds: await usher.createSchedules(schedules),
    seatsPerSchedule,
    seatsPerRow: benchHall.seatsPerRow,
    keyPrefix: 'sustained',
    etag: '',
  } as const;
  const samples: SustainedSample[] = [];
  const startedMs = performance.now();
  let before = { atMs: startedMs, held: await heldSoFar(usher) };
  const timer = setInterval(async () => {
    const metrics = await usher.metrics();
    const now = { atMs: performance.now(), held: held(metrics) };
    samples.push({
      atSeconds: Math.round((now.atMs - startedMs) / 1_000),
      reservationsPerSecond: Math.round((1_000 * (now.held - before.held)) / (now.atMs - before.atMs)),
      projectionLagEvents: metrics.get('usher_projection_lag_events') ?? 0,
      unpublishedEvents: metrics.get('usher_unpublished_events') ?? 0,
    });
    before = now;
    console.error('sustained:', samples.at(-1));
  }, sampleMs);
  const { perSecond } = await load(plan, '201').finally(() => clearInterval(timer));
  return {
    samples,
    reservationsPerSecond: perSecond,
    catchUpSeconds: await catchUp(usher),
  };
}

const held = (metrics: ReadonlyMap<string, number>): number =>
  metrics.get('usher_decisions_total{kind="hold",outcome="ok"}') ?? 0;

const heldSoFar = async (usher: BenchUsher): Promise<number> => held(await usher.metrics());

const catchUpMaxMs = 600_000;

async function catchUp(usher: BenchUsher): Promise<number> {
  const startedMs = performance.now();
  for (;;) {
    const metrics = await usher.metrics();
    const waitedMs = performance.now() - startedMs;
    const lag = metrics.get('usher_projection_lag_events') ?? 0;
    const unpublished = metrics.get('usher_unpublished_events') ?? 0;
    if (lag === 0 && unpublished === 0) return waitedMs / 1_000;
    if (waitedMs > catchUpMaxMs) throw new Error(`still ${lag} to project and ${unpublished} to publish`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}
