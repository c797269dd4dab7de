/** The lines of `npm run bench -- cluster`. */
import { measureCost, type OfferedLoad } from './cluster-cost.ts';
import { measureForward } from './cluster-forward.ts';
import { type IdleCost, measureIdle } from './cluster-idle.ts';
import { measureMoves } from './cluster-moves.ts';
import type { Spread } from './spread.ts';
import { type Row, row, show } from './table.ts';

/** Of what is compared for information, and of what takes long. */
const roundsMax = 3;

const spreadRow = (what: string, spread: Spread, digits: number, unit = '', target = '–'): Row => ({
  what,
  ...show(spread, digits, unit),
  target,
});

export async function clusterForward(rounds: number): Promise<readonly Row[]> {
  const ratios = await measureForward(rounds, Math.min(rounds, roundsMax));
  return ratios.flatMap((result) => {
    const target = result.name.startsWith('POST') && result.connections === 64 ? '≥ 0.50' : '–';
    const what = `${result.name}, ${result.connections} connections: not the owner ÷ owner`;
    return [
      spreadRow(what, result.ratio, 2, '', target),
      spreadRow('– not the owner, requests/s', result.otherPerSecond, 0),
      spreadRow('– owner, requests/s', result.ownerPerSecond, 0),
      spreadRow('– not the owner, p99', result.otherP99Ms, 1, ' ms'),
      spreadRow('– owner, p99', result.ownerP99Ms, 1, ' ms'),
    ];
  });
}

const rush = { connections: 1_000, perSecond: Number.POSITIVE_INFINITY };
const offeredLoads: readonly OfferedLoad[] = [
  rush,
  { connections: 192, perSecond: Number.POSITIVE_INFINITY },
  { connections: 192, perSecond: 2_000 },
];

export async function clusterCost(rounds: number): Promise<readonly Row[]> {
  const costs = await measureCost(
    offeredLoads.map((offered) => ({
      offered,
      rounds: offered === rush ? rounds : Math.min(rounds, roundsMax),
    })),
  );
  return costs.flatMap((cost) => {
    const { connections, perSecond } = cost.offered;
    const load = Number.isFinite(perSecond) ? `${perSecond}/s` : `${connections} connections`;
    return [
      spreadRow(`CPU of a reservation, ${load}: three nodes ÷ one`, cost.ratio, 2, '', '≤ 1.40'),
      spreadRow('– three nodes, CPU seconds for 100,000', cost.clusterCpuSeconds, 1, ' s'),
      spreadRow('– one node, CPU seconds for 100,000', cost.aloneCpuSeconds, 1, ' s'),
      spreadRow('– three nodes, requests/s', cost.clusterPerSecond, 0),
      spreadRow('– one node, requests/s', cost.alonePerSecond, 0),
      spreadRow('– three nodes, forwarded share', cost.forwardedShare, 2),
      spreadRow('– three nodes, rows a group commit', cost.clusterBatchRows, 1),
      spreadRow('– one node, rows a group commit', cost.aloneBatchRows, 1),
    ];
  });
}

export async function clusterMoves(): Promise<readonly Row[]> {
  const { moves, drain } = await measureMoves({ rounds: 4, moves: 1_000, ratePerSecond: 2_000, drains: 2 });
  const under = `under ${moves.ratePerSecond} requests/s`;
  return [
    row(`${moves.moves} live moves ${under}: failed requests`, `${moves.failedRequests}`, '0'),
    row('– of so many', `${moves.requests}`),
    row('– moves that failed', `${moves.failedMoves}`, '0'),
    row('– audit of every schedule', moves.isSound ? 'ok' : 'FAILED', 'ok'),
    spreadRow('– p99 added', moves.addedP99Ms, 0, ' ms', '< 250 ms'),
    spreadRow('– p50 without moves', moves.restP50Ms, 1, ' ms'),
    spreadRow('– p50 while shards move', moves.movesP50Ms, 1, ' ms'),
    spreadRow('– p99 without moves', moves.restP99Ms, 1, ' ms'),
    spreadRow('– p99 while shards move', moves.movesP99Ms, 1, ' ms'),
    spreadRow('– slowest answer', moves.slowestMs, 0, ' ms'),
    spreadRow('– answered meanwhile, requests/s', moves.answeredPerSecond, 0, '', `${moves.ratePerSecond}`),
    spreadRow('– moves/s', moves.movesPerSecond, 0),
    row('– a move holds its calls up, mean', `${moves.blockedMeanMs.toFixed(0)} ms`),
    row('– 99 % of moves, at most', `${moves.blockedP99Ms} ms`),
    spreadRow(`drain of ${drain.shards} shards ${under}`, drain.seconds, 1, ' s'),
    row('– failed requests', `${drain.failedRequests}`, '0'),
  ];
}

export async function clusterIdle(): Promise<readonly Row[]> {
  const { schedules, alone, ofOne, ofThree, soldAgainSeconds } = await measureIdle(10_000, 3);
  const rows = (what: string, cost: IdleCost): readonly Row[] => [
    spreadRow(`idle with ${schedules} schedules, ${what}: CPU of a node`, cost.nodeCpu, 1, ' %'),
    spreadRow('– memory of a node', cost.nodeMegabytes, 0, ' MB'),
    row('– MariaDB, queries/s', `${cost.queriesPerSecond.toFixed(1)}, ${cost.databaseCpu.toFixed(1)} % CPU`),
    row('– Redis, scripts/s', `${cost.redisCallsPerSecond.toFixed(1)}, ${cost.redisCpu.toFixed(1)} % CPU`),
  ];
  return [
    ...rows('on its own', alone),
    ...rows('a cluster of one', ofOne),
    ...rows('a cluster of three', ofThree),
    spreadRow('kill -9 of an owner until its schedule is sold again', soldAgainSeconds, 1, ' s', '< 5 s'),
  ];
}
