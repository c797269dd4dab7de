/**
 * What a call costs that reaches a node which does not own its schedule: the same calls to the owner and to another
 * node in turn, on one cluster of three. Both are closed loops over as many connections.
 */
import { benchHall } from './bench-hall.ts';
import { BenchCluster } from './cluster-nodes.ts';
import type { LoadPlan, LoadResult } from './load-plan.ts';
import { startRealServers } from './real-servers.ts';
import { load } from './run-load.ts';
import { type Spread, spreadOf } from './spread.ts';

export interface ForwardRatio {
  readonly name: string;
  readonly connections: number;
  readonly ratio: Spread;
  readonly ownerPerSecond: Spread;
  readonly otherPerSecond: Spread;
  readonly ownerP99Ms: Spread;
  readonly otherP99Ms: Spread;
}

const seatsPerSchedule = benchHall.rows * benchHall.seatsPerRow;
const warmUpMs = 500;
const measureMs = 2_500;
/** More than this machine was ever seen to hold a second. */
const reservationsPerSecondMax = 40_000;
const schedulesPerRun = Math.ceil(
  ((warmUpMs + measureMs) * reservationsPerSecondMax) / 1_000 / seatsPerSchedule,
);
const [owner, other] = ['node-1', 'node-2'] as const;

type Request = Pick<LoadPlan, 'kind' | 'path' | 'etag'> & { readonly expected: string };

/** @param otherRounds of all but POST over 64 connections. */
export async function measureForward(rounds: number, otherRounds: number): Promise<readonly ForwardRatio[]> {
  const servers = await startRealServers('redis');
  let cluster: BenchCluster | undefined;
  try {
    cluster = await BenchCluster.start(3, servers.environment);
    return await measure(cluster, rounds, otherRounds);
  } finally {
    await cluster?.stop();
    await servers.stop();
  }
}

async function measure(
  cluster: BenchCluster,
  rounds: number,
  otherRounds: number,
): Promise<readonly ForwardRatio[]> {
  const reserve = { kind: 'reserve', path: '/reservations', etag: '', expected: '201' } as const;
  // Not counted: the compiler learns the code, the token caches fill, the links open.
  await compare(cluster, 'warm-up', 64, 1, reserve);
  const ratios = [
    await compare(cluster, 'POST /reservations', 64, rounds, reserve),
    await compare(cluster, 'POST /reservations', 1_000, otherRounds, reserve),
  ];
  await cluster.caughtUp();
  const [scheduleId = 0] = await cluster.createSchedulesOf(owner, 1);
  const path = `/reservations/available/seat?scheduleId=${scheduleId}`;
  const etag = await cluster.node(owner).availabilityTag(scheduleId);
  const matching = { kind: 'etag', path, etag, expected: '304' } as const;
  const seats = { kind: 'seats', path, etag, expected: '200' } as const;
  ratios.push(await compare(cluster, 'available/seat, matching ETag', 64, otherRounds, matching));
  ratios.push(await compare(cluster, 'available/seat, bitmap', 64, otherRounds, seats));
  return ratios;
}

async function compare(
  cluster: BenchCluster,
  name: string,
  connections: number,
  rounds: number,
  { expected, ...request }: Request,
): Promise<ForwardRatio> {
  const results: Record<'owner' | 'other', LoadResult[]> = { owner: [], other: [] };
  const isReserve = request.kind === 'reserve';
  const scheduleIds = isReserve ? await cluster.createSchedulesOf(owner, 2 * rounds * schedulesPerRun) : [];
  let runs = 0;
  const run = async (side: 'owner' | 'other', round: number) => {
    const first = schedulesPerRun * runs++;
    const plan = {
      ...request,
      host: '127.0.0.1',
      port: cluster.node(side === 'owner' ? owner : other).port,
      connections,
      warmUpMs,
      measureMs,
      tokens: cluster.first.tokens,
      scheduleIds: scheduleIds.slice(first, first + schedulesPerRun),
      seatsPerSchedule,
      seatsPerRow: benchHall.seatsPerRow,
      keyPrefix: `${name}-${connections}-${round}-${side}`.replaceAll(' ', ''),
    };
    results[side].push(await load(plan, expected));
    // What is done behind the answers is not to slow the other side down.
    if (isReserve) await cluster.caughtUp();
  };
  for (let round = 0; round < rounds; round++) {
    await run('owner', round);
    await run('other', round);
    const [mine, others] = [results.owner.at(-1)?.perSecond ?? 1, results.other.at(-1)?.perSecond ?? 0];
    console.error(
      `${name}, ${connections} connections, round ${round + 1}: not the owner ${others.toFixed(0)} / owner ${mine.toFixed(0)} = ${(others / mine).toFixed(2)}`,
    );
  }
  const spread = (side: 'owner' | 'other', figure: 'perSecond' | 'p99Ms') =>
    spreadOf(results[side].map((result) => result[figure]));
  return {
    name,
    connections,
    ratio: spreadOf(
      results.other.map(({ perSecond }, i) => perSecond / (results.owner[i] as LoadResult).perSecond),
    ),
    ownerPerSecond: spread('owner', 'perSecond'),
    otherPerSecond: spread('other', 'perSecond'),
    ownerP99Ms: spread('owner', 'p99Ms'),
    otherP99Ms: spread('other', 'p99Ms'),
  };
}
