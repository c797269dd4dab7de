import { beforeEach, describe, expect, test } from 'vitest';
import type { ScheduleId } from '../../../src/actors/allocator/ids.ts';
import type { ControlRefusal, Operator } from '../../../src/actors/runtime/cluster-control.ts';
import type { MoveRecord } from '../../../src/actors/runtime/cluster-records.ts';
import type { ShardRecord } from '../../../src/actors/runtime/ports.ts';
import { ClusterOperator } from '../../../src/cluster/cluster-operator.ts';
import type { Membership } from '../../../src/cluster/membership.ts';
import { Orders } from '../../../src/cluster/orders.ts';
import type { PeerResult } from '../../../src/cluster/peers.ts';
import { type LiveNode, type Registry, RegistryUnavailable } from '../../../src/cluster/registry.ts';
import { RouteTable } from '../../../src/cluster/route-table.ts';
import { done, failed } from '../../../src/cluster/shard-order.ts';
import { MemoryClusterRecords } from '../../../src/persistence/memory/memory-cluster-records.ts';
import { ManualClock } from '../actors/runtime/manual-clock.ts';
import { ScriptedStore } from '../actors/runtime/scripted-store.ts';
import { a, b, c, ScriptedPeers, shardId } from './cluster-script.ts';
import { recordOf } from './membership-stage.ts';

const shardCount = 4;
const ada: Operator = { who: 'ada', why: 'upgrade' };

let store: ScriptedStore;
let records: MemoryClusterRecords;
let routes: RouteTable;
let peers: ScriptedPeers;
let operator: ClusterOperator;
let live: LiveNode[];
let isRegistryUp: boolean;
let advertised: readonly ShardRecord[] | undefined;
/** Orders to this node itself. */
let own: string[];

const node = (instanceId: string, changes: Partial<LiveNode> = {}): LiveNode => ({
  ...recordOf(instanceId),
  heartbeatAgeMs: 12.4,
  ...changes,
});

beforeEach(() => {
  store = new ScriptedStore();
  records = new MemoryClusterRecords();
  routes = new RouteTable();
  peers = new ScriptedPeers();
  peers.answerOf = () => ({ answer: done });
  own = [];
  isRegistryUp = true;
  advertised = [];
  live = [node(a), node(b), node(c)];
  for (const [shard, owner] of [a, b, a].entries()) {
    store.shards.set(shardId(shard), { epoch: 5 + shard, lastBatch: 0, owner });
  }
  const membership = {
    get isRegistryUp() {
      return isRegistryUp;
    },
    coordinatorId: c,
    live: () => live,
    upInstanceOf: (name: string) =>
      live.find(({ instanceId, state }) => state === 'up' && instanceId.startsWith(`${name}/`)),
  } as unknown as Membership;
  operator = new ClusterOperator({
    shardCount,
    store,
    records,
    registry: {
      readShards: async () => {
        if (advertised === undefined) throw new RegistryUnavailable('down');
        return advertised;
      },
    } as unknown as Registry,
    membership,
    routes,
    orders: new Orders(a, peers, {
      claim: async () => done,
      give: async () => done,
      drain: () => {
        own.push('drain');
        return done;
      },
    }),
    clock: new ManualClock(),
  });
});

/** Moves as `shard from to`, or why not. */
const word = (result: readonly MoveRecord[] | ControlRefusal): readonly string[] | string =>
  'refusal' in result
    ? `${result.refusal}: ${result.message}`
    : result.map(({ shardId: shard, fromNodeId, toNodeId }) => `${shard} ${fromNodeId} ${toNodeId}`);

const actions = async () =>
  (await records.listActions(9)).map(({ who, what, why }) => `${who}: ${what} (${why})`);

describe('the status', () => {
  test('has every shard as the store has it, and what is asked of it as its node says', async () => {
    live = [node(a, { shards: [{ shardId: shardId(0), epoch: 5, requestsPerSecond: 7.6 }] }), node(c)];
    await records.planMoves([{ shardId: shardId(2), fromNodeId: 'a', toNodeId: 'c', epoch: 7 }], {
      atMs: 5,
      who: 'ada',
      what: 'move',
      why: '',
    });
    await records.updateMove(1, 'running', '', 6);
    const { shards } = await operator.status();
    expect(shards.map((shard) => Object.values(shard))).toEqual([
      [0, 'a', 5, 'active', 7.6],
      [1, 'b', 6, 'orphaned', 0],
      [2, 'a', 7, 'moving', 0],
      [3, undefined, 0, 'orphaned', 0],
    ]);
  });

  test('has those who live, and those who own something all the same', async () => {
    live = [node(c, { state: 'draining' }), node(a)];
    const { nodes, coordinatorNodeId, isRegistryUp: isUp } = await operator.status();
    expect(
      nodes.map(({ nodeId, state, shards, heartbeatAgeMs }) => [nodeId, state, shards, heartbeatAgeMs]),
    ).toEqual([
      ['a', 'up', 2, 12],
      ['b', 'lost', 1, 0],
      ['c', 'draining', 0, 12],
    ]);
    expect([coordinatorNodeId, isUp]).toEqual(['c', true]);
  });

  test('has moves in the phase that their giver says', async () => {
    const plan = [1, 2].map((shard) => ({
      shardId: shardId(shard),
      fromNodeId: 'a',
      toNodeId: 'c',
      epoch: 7,
    }));
    await records.planMoves(plan, { atMs: 5, who: 'ada', what: 'move', why: '' });
    const move = { moveId: 2, shardId: shardId(2), toInstanceId: c, startedAtMs: 9 };
    live = [node(a, { moves: [{ ...move, phase: 'sealed' }] })];
    const { moves } = await operator.status();
    expect(moves.map(({ moveId, phase, startedAtMs }) => [moveId, phase, startedAtMs])).toEqual([
      [1, 'planned', 5],
      [2, 'sealed', 9],
    ]);
  });

  test('tells where Redis says something else, and goes on without it', async () => {
    const disagreements = async () =>
      (await operator.status()).disagreements.filter((line) => line.includes('Redis'));
    expect(await disagreements()).toHaveLength(3);
    advertised = undefined;
    expect([await disagreements(), (await operator.status()).isRegistryUp]).toEqual([[], false]);
  });

  test('says where a schedule is', () => {
    const { shardId: shard } = operator.ownerOf(1 as ScheduleId);
    expect(operator.ownerOf(1 as ScheduleId).ownerNodeId).toBeUndefined();
    routes.hear([{ shardId: shard, epoch: 1, owner: b }]);
    expect(operator.ownerOf(1 as ScheduleId)).toEqual({ shardId: shard, ownerNodeId: 'b' });
  });
});

describe('a move', () => {
  test('is written down with who asked for it, and why', async () => {
    expect(word(await operator.move(shardId(1), 'c', ada))).toEqual(['1 b c']);
    expect(await actions()).toEqual(['ada: move shard 1 to c (upgrade)']);
    expect(await records.findMove(1)).toMatchObject({ epoch: 6, phase: 'planned', plannedAtMs: 1_000_000 });
    expect(await operator.findMove(1)).toMatchObject({ shardId: 1 });
    expect(await operator.listActions(1)).toHaveLength(1);
  });

  test.each<[string, number, string, () => void, RegExp]>([
    ['while Redis is away', 1, 'c', () => (isRegistryUp = false), /^no-registry: /],
    ['of a shard that there is not', 4, 'c', () => {}, /^unknown-shard: There are shards 0 to 3/],
    [
      'to a node that there is not',
      1,
      'd',
      () => {},
      /^unknown-node: d is no node that is up; there are a, b, c/,
    ],
    [
      'to one that drains',
      1,
      'c',
      () => (live = [node(c, { state: 'draining' })]),
      /^not-possible: c drains/,
    ],
    ['of a shard that nobody has', 3, 'c', () => {}, /^not-possible: Nobody owns shard 3 yet/],
    ['to where it is', 1, 'b', () => {}, /^not-possible: b owns shard 1 already/],
  ])('is refused %s', async (_what, shard, to, given, refusal) => {
    given();
    expect(word(await operator.move(shardId(shard), to, ada))).toMatch(refusal);
    expect(await actions()).toEqual([]);
  });

  test('of a shard that is being moved is refused', async () => {
    await operator.move(shardId(1), 'c', ada);
    expect(word(await operator.move(shardId(1), 'a', ada))).toBe(
      'not-possible: Shard 1 is being moved already.',
    );
  });
});

describe('a node that beats and does not answer', () => {
  beforeEach(() => {
    peers.answerOf = ({ address }): PeerResult =>
      address === 'c:1' ? { failure: 'not-sent' } : { answer: done };
  });

  test('is named to whoever asks for the status', async () => {
    expect((await operator.status()).disagreements[0]).toBe(
      'c beats, but does not answer this node: the logs of both say why',
    );
  });

  test('gets nothing by a rebalance, nor by a move', async () => {
    const plan = await operator.planRebalance();
    expect(plan).not.toHaveProperty('refusal');
    expect(JSON.stringify(plan)).not.toContain('"toNodeId":"c"');
    expect(await operator.move(shardId(0), 'c', ada)).toMatchObject({ refusal: 'not-possible' });
  });
});

describe('a drain', () => {
  test('is told the node, and moves all that it has', async () => {
    const moves = word(await operator.drain('b', ada));
    expect([peers.asked, moves]).toEqual([['b:1 drain'], [expect.stringMatching(/^1 b [ac]$/)]]);
    expect(await actions()).toEqual(['ada: move 1 shards off b (upgrade)', 'ada: drain b (upgrade)']);
  });

  test('of the node that was asked is told to itself', async () => {
    expect(word(await operator.drain('a', ada))).toHaveLength(2);
    expect([own, peers.asked]).toEqual([['drain'], []]);
  });

  test.each<[string, string, () => void, RegExp]>([
    ['while Redis is away', 'b', () => (isRegistryUp = false), /^no-registry: /],
    ['of a node that there is not', 'd', () => {}, /^unknown-node: /],
    [
      'where nobody else is up',
      'b',
      () => (live = [node(b), node(c, { state: 'draining' })]),
      /^not-possible: No other node is up/,
    ],
    [
      'of a node that does not answer',
      'b',
      () => (peers.answerOf = (): PeerResult => ({ failure: 'not-sent' })),
      /^not-possible: b does not answer: it can’t be reached/,
    ],
    [
      'of a node that has begun anew',
      'b',
      () => (peers.answerOf = (): PeerResult => ({ answer: failed('this is b/2') })),
      /^not-possible: b does not answer: this is b\/2/,
    ],
  ])('is refused %s', async (_what, name, given, refusal) => {
    given();
    expect(word(await operator.drain(name, ada))).toMatch(refusal);
    expect(await records.listOpenMoves()).toEqual([]);
  });
});

describe('a rebalance', () => {
  beforeEach(() => {
    for (const shard of [0, 1, 2, 3]) store.shards.set(shardId(shard), { epoch: 5, lastBatch: 0, owner: a });
    live = [node(a), node(b)];
  });

  test('is shown before it is carried out', async () => {
    const plan = await operator.planRebalance();
    expect([plan, await actions()]).toEqual([
      [expect.objectContaining({ toNodeId: 'b' }), expect.objectContaining({ toNodeId: 'b' })],
      [],
    ]);
    expect(word(await operator.rebalance(ada))).toHaveLength(2);
    expect(await actions()).toEqual(['ada: rebalance: 2 moves (upgrade)']);
  });

  test('begun again moves nothing twice', async () => {
    await operator.rebalance(ada);
    expect(word(await operator.rebalance(ada))).toEqual([]);
  });

  test('is refused while Redis is away', async () => {
    isRegistryUp = false;
    expect(word(await operator.rebalance(ada))).toMatch(/^no-registry/);
  });
});
