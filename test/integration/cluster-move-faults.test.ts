import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { sharedRedisUrl } from '../servers/shared-servers.ts';
import { Prng } from '../simulation/prng.ts';
import { Cluster, shardIdOf } from './cluster-stage.ts';
import { expectInMySql } from './mysql-history.ts';
import { Sale } from './sale.ts';
import { expectKept } from './sale-checks.ts';

/**
 * Something fails in the middle of moves, under load: of each shard there is one owner in the end, soon, and nothing
 * that was acknowledged is lost (I2, I3, I13).
 */
const seed = Number(process.env['MOVE_SEED'] ?? Date.now() % 1_000_000);
const prng = new Prng(seed);

/** I13, and a rest for a machine that does other things as well. */
const wholeWithinMs = 10_000 + 2_000;
/** As many as are carried out at a time. */
const movesAtOnce = 8;
/** About as long as a move takes, so that of several one or the other is at any of its steps. */
const momentMsMax = 50;

const transfer = /^UPDATE shard .* SET epoch = epoch \+ 1, owner/;

let cluster: Cluster;
let sale: Sale;

beforeAll(async () => {
  console.log(`seed ${seed}`);
  cluster = await Cluster.start({
    nodeIds: ['one', 'two', 'three'],
    redisUrl: sharedRedisUrl(),
    hasProxies: true,
  });
});

afterAll(() => cluster?.stop());

beforeEach(async () => {
  sale = await Sale.open({ node: cluster.next, prng, scheduleCount: 10, clientCount: 15, thinkMsMax: 100 });
  await sale.begin();
  await sale.hasSold(20);
});

afterEach(async () => {
  await sale.end();
  await expectKept(cluster.next(), sale);
  await expectInMySql(cluster.databaseUrl, sale);
});

interface Move {
  readonly giverId: string;
  readonly takerId: string;
}

/** Whoever sells most of it gives to somebody; the shards that are sold go first. */
async function beginMoves(prepare: (move: Move) => void): Promise<Move> {
  const owners = await cluster.owners();
  const sold = sale.scheduleIds.map(shardIdOf);
  const soldBy = (nodeId: string) => sold.filter((shardId) => owners.get(shardId)?.nodeId === nodeId);
  const giverId = cluster.nodeIds.toSorted((a, b) => soldBy(b).length - soldBy(a).length)[0] as string;
  const takerId = prng.pick(cluster.nodeIds.filter((nodeId) => nodeId !== giverId));
  const given = [...owners.keys()].filter((shardId) => owners.get(shardId)?.nodeId === giverId);
  const shardIds = [...new Set([...soldBy(giverId), ...given])].slice(0, movesAtOnce);
  const move = { giverId, takerId };
  prepare(move);
  const running = 'SELECT move_id FROM cluster_move WHERE is_open = 1 AND phase = 1';
  await Promise.all(shardIds.map((shardId) => cluster.move(shardId, takerId)));
  while ((await cluster.query(running)).length === 0) await delay(1);
  return move;
}

function kill(nodeId: string): void {
  cluster.node(nodeId).signal('SIGKILL');
  cluster.takeOut(nodeId);
}

const cutTransfer = (nodeId: string, at: 'before-commit' | 'before-answer') =>
  cluster.proxyOf(nodeId).cutAtNextCommit(at, transfer);

const nothing = () => {};

test.each<[string, { prepare?: (move: Move) => void; strike?: (move: Move) => void; cutsAtGiver?: number }]>([
  [
    'the transfer never comes to the store',
    { prepare: ({ giverId }) => cutTransfer(giverId, 'before-commit'), cutsAtGiver: 1 },
  ],
  [
    'the transfer comes to the store, and no answer to the giver',
    { prepare: ({ giverId }) => cutTransfer(giverId, 'before-answer'), cutsAtGiver: 1 },
  ],
  [
    'the giver’s connections to the store are cut',
    { strike: ({ giverId }) => cluster.proxyOf(giverId).cutAll() },
  ],
  [
    'the taker’s connections to the store are cut',
    { strike: ({ takerId }) => cluster.proxyOf(takerId).cutAll() },
  ],
  // The last ones: who is killed stays away.
  ['the taker is killed', { strike: ({ takerId }) => kill(takerId) }],
  ['the giver is killed', { strike: ({ giverId }) => kill(giverId) }],
])('%s', async (_what, { prepare = nothing, strike = nothing, cutsAtGiver = 0 }) => {
  let cutsBefore = 0;
  const move = await beginMoves((begun) => {
    cutsBefore = cluster.proxyOf(begun.giverId).cuts;
    prepare(begun);
  });
  await delay(prng.below(momentMsMax));
  strike(move);
  const struckMs = performance.now();
  await cluster.becomesWhole(struckMs + wholeWithinMs - performance.now());
  expect(cluster.proxyOf(move.giverId).cuts - cutsBefore).toBe(cutsAtGiver);
  await sale.hasSold(20);
});
