/**
 * Usher beside a bare node:http echo, behind the same client, in one run: A B A B …, the ratio pair by pair.
 * The client, the server and the store's worker share the machine's cores.
 */
import { fileURLToPath } from 'node:url';
import { benchHall } from './bench-hall.ts';
import type { LoadPlan, LoadResult } from './load-plan.ts';
import { load } from './run-load.ts';
import { BenchUsher, type BenchUsherOptions, type EchoServer, startEcho } from './servers.ts';
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
/** Reservations to pay for in a round: more than any was seen to pay. */
const holdsPerRound = (warmUpMs + measureMs) * 30;
const schedulesPerPayRound = Math.ceil(holdsPerRound / seatsPerSchedule);

async function withServers<T>(
  measure: (usher: BenchUsher, echo: EchoServer, probe: number) => Promise<T>,
  start: BenchUsherOptions = {},
): Promise<T> {
  const usher = await BenchUsher.start(start);
  let echo: EchoServer | undefined;
  try {
    const [probe = 0] = await usher.createSchedules(1);
    echo = await startEcho(await usher.answerBytes(probe));
    return await measure(usher, echo, probe);
  } finally {
    await echo?.stop();
    await usher.stop();
  }
}

export const measurePayments = (rounds: number): Promise<readonly HttpRatio[]> =>
  withServers(async (usher, echo) => {
    await usher.chargeAll(10_000_000);
    const request = { kind: 'pay', etag: '', path: '/reservations/pay', holdPath: '/reservations' } as const;
    await compare('warm-up', 64, 1, usher, echo, request);
    const results: HttpRatio[] = [];
    for (const connections of [64, 1_000]) {
      results.push(
        await compare('POST /reservations/pay by points', connections, rounds, usher, echo, request),
      );
    }
    return results;
  });

/** p99 of holds at a steady rate, in milliseconds, alone and beside something else. */
export interface ReserveBeside {
  readonly aloneP99Ms: Spread;
  readonly besideP99Ms: Spread;
  /** beside ÷ alone, round by round. */
  readonly growth: Spread;
  /** Of what ran beside. */
  readonly chargesPerSecond: Spread;
}

const floodLedger = fileURLToPath(new URL('./flood-ledger.ts', import.meta.url));

/** Beside a ledger that never rests: 500 charges are always under way in it, made inside the node. */
export const measureBesideLedger = (rounds: number): Promise<ReserveBeside> =>
  withServers(
    async (usher) => {
      await usher.chargeAll(1);
      return reserveBeside(rounds, usher, 'a flooded ledger', async (_round, reserve) => {
        await usher.toggleFlood();
        const held = await reserve();
        return { held, perSecond: await usher.toggleFlood() };
      });
    },
    { nodeOptions: ['--import', floodLedger] },
  );

/** Beside as many charges as come through the same HTTP port: they share the main thread with the holds. */
export const measureBesideCharges = (rounds: number): Promise<ReserveBeside> =>
  withServers((usher) =>
    reserveBeside(rounds, usher, 'charges over HTTP', async (round, reserve) => {
      const plan = await planOf('charge', usher, {
        connections: 256,
        keyPrefix: `charge-${round}`,
        measureMs: measureMs + 500,
      });
      const [held, { perSecond }] = await Promise.all([
        reserve(),
        load({ ...plan, port: usher.port }, '200'),
      ]);
      return { held, perSecond };
    }),
  );

async function reserveBeside(
  rounds: number,
  usher: BenchUsher,
  beside: string,
  run: (
    round: number,
    reserve: () => Promise<LoadResult>,
  ) => Promise<{ held: LoadResult; perSecond: number }>,
): Promise<ReserveBeside> {
  const results: { alone: number; beside: number; perSecond: number }[] = [];
  let count = 0;
  const reserve = async (): Promise<LoadResult> => {
    const keyPrefix = `hold-${count++}`;
    const plan = await planOf('reserve', usher, { connections: 64, ratePerSecond: 1_000, keyPrefix });
    return load({ ...plan, port: usher.port }, '201');
  };
  await reserve();
  for (let round = 0; round < rounds; round++) {
    const alone = (await reserve()).p99Ms;
    const { held, perSecond } = await run(round, reserve);
    results.push({ alone, beside: held.p99Ms, perSecond });
    console.error(
      `reserve p99, round ${round + 1}: ${alone.toFixed(2)} ms alone, ${held.p99Ms.toFixed(2)} ms beside ${beside} (${perSecond.toFixed(0)}/s)`,
    );
  }
  return {
    aloneP99Ms: spreadOf(results.map(({ alone }) => alone)),
    besideP99Ms: spreadOf(results.map((result) => result.beside)),
    growth: spreadOf(results.map((result) => result.beside / result.alone)),
    chargesPerSecond: spreadOf(results.map(({ perSecond }) => perSecond)),
  };
}

async function planOf(
  kind: 'reserve' | 'charge',
  usher: BenchUsher,
  options: Pick<LoadPlan, 'connections' | 'keyPrefix'> & Partial<LoadPlan>,
): Promise<Omit<LoadPlan, 'port'>> {
  return {
    kind,
    host: '127.0.0.1',
    path: kind === 'charge' ? '/points/charge' : '/reservations',
    warmUpMs,
    measureMs,
    tokens: usher.tokens,
    scheduleIds: kind === 'charge' ? [] : await usher.createSchedules(1),
    seatsPerSchedule,
    seatsPerRow: benchHall.seatsPerRow,
    etag: '',
    ...options,
  };
}

/** Holds on MySQL: the ratio, and what a group commit carries and takes meanwhile. */
export const measureOnMySql = (rounds: number, mysqlUrl: string): Promise<readonly MySqlRatio[]> =>
  withServers(
    async (usher, echo) => {
      const request = { kind: 'reserve', etag: '', path: '/reservations' } as const;
      await compare('warm-up', 64, 1, usher, echo, request);
      const results: MySqlRatio[] = [];
      for (const connections of [64, 1_000]) {
        const before = await usher.metrics();
        const ratio = await compare('POST /reservations on MySQL', connections, rounds, usher, echo, request);
        const after = await usher.metrics();
        const grown = (name: string) => (after.get(name) ?? 0) - (before.get(name) ?? 0);
        results.push({
          ...ratio,
          batchRows: grown('usher_batch_rows_sum') / grown('usher_batch_rows_count'),
          batchMs:
            (1000 * grown('usher_batch_duration_seconds_sum')) / grown('usher_batch_duration_seconds_count'),
        });
      }
      return results;
    },
    { environment: { MYSQL_URL: mysqlUrl } },
  );

export interface MySqlRatio extends HttpRatio {
  /** Means over all rounds. */
  readonly batchRows: number;
  readonly batchMs: number;
}

export const measureHttp = (rounds: number): Promise<readonly HttpRatio[]> =>
  withServers(async (usher, echo, probe) => {
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
  });

/** The echo looks at no id, so it gets as many as it can answer. */
const asHolds = {
  kind: 'reserve',
  path: '/reservations',
  scheduleIds: Array.from({ length: 100 }, (_, index) => index + 1),
} as const;

async function compare(
  name: string,
  connections: number,
  rounds: number,
  usher: BenchUsher,
  echo: EchoServer,
  request: Pick<LoadPlan, 'etag' | 'path' | 'holdPath'> & {
    readonly kind: Exclude<LoadPlan['kind'], 'seats'>;
  },
): Promise<HttpRatio> {
  const ushers: LoadResult[] = [];
  const echoes: LoadResult[] = [];
  for (let round = 0; round < rounds; round++) {
    const schedules = { reserve: schedulesPerRound, pay: schedulesPerPayRound, etag: 0, charge: 0 }[
      request.kind
    ];
    const scheduleIds = schedules === 0 ? [] : await usher.createSchedules(schedules);
    const plan = {
      ...request,
      host: '127.0.0.1',
      connections,
      warmUpMs,
      measureMs,
      tokens: usher.tokens,
      scheduleIds,
      holds: holdsPerRound,
      seatsPerSchedule,
      seatsPerRow: benchHall.seatsPerRow,
      keyPrefix: `${name}-${connections}-${round}`.replaceAll(' ', ''),
    };
    const expected = { reserve: '201', pay: '200', etag: '304', charge: '200' }[request.kind];
    ushers.push(await load({ ...plan, port: usher.port }, expected));
    // What it does behind its answers is not to slow the echo down.
    await usher.caughtUp();
    // To the echo a payment is one more body: what it answers is of the same size, and is always 201.
    const echoed = request.kind === 'etag' ? plan : { ...plan, ...asHolds };
    echoes.push(await load({ ...echoed, port: echo.port }, request.kind === 'pay' ? '201' : expected));
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
