import { beforeEach, describe, expect, test } from 'vitest';
import type { MovePlan } from '../../../src/actors/runtime/cluster-records.ts';
import { StoreUnavailable } from '../../../src/actors/runtime/ports.ts';
import { Coordinator } from '../../../src/cluster/coordinator.ts';
import type { Membership } from '../../../src/cluster/membership.ts';
import { Orders } from '../../../src/cluster/orders.ts';
import type { PeerResult } from '../../../src/cluster/peers.ts';
import type { LiveNode } from '../../../src/cluster/registry.ts';
import { type ClaimOrder, done, failed, type MoveOrder } from '../../../src/cluster/shard-order.ts';
import { MemoryClusterRecords } from '../../../src/persistence/memory/memory-cluster-records.ts';
import { ManualClock } from '../actors/runtime/manual-clock.ts';
import { ScriptedStore } from '../actors/runtime/scripted-store.ts';
import { a, b, c, NotedObserver, ScriptedPeers, shardId, timing } from './cluster-script.ts';
import { recordOf } from './membership-stage.ts';

const shardCount = 8;
const movesInFlightMax = 2;
const by = { atMs: 0, who: 'ada', what: 'move', why: '' };

let clock: ManualClock;
let store: ScriptedStore;
let peers: ScriptedPeers;
let observer: NotedObserver;
let records: MemoryClusterRecords;
let coordinator: Coordinator;
/** What node a sees of the cluster. */
let view: {
  isCoordinator: boolean;
  mayJudge: boolean;
  hasJoined: boolean;
  live: LiveNode[];
  /** Not in the view, and seen a moment ago. */
  fresh: string[];
};
/** Orders to node a itself. */
let own: string[];
/** What others say to an order; undefined: nothing yet. Nodes that are gone don't answer. */
let answerTo: (method: string, address: string) => PeerResult | undefined;
const gone = { failure: 'not-sent' } as const;

const node = (instanceId: string, state: 'up' | 'draining' = 'up'): LiveNode => ({
  ...recordOf(instanceId, { state }),
  heartbeatAgeMs: 0,
});

beforeEach(() => {
  clock = new ManualClock();
  store = new ScriptedStore();
  peers = new ScriptedPeers();
  observer = new NotedObserver();
  records = new MemoryClusterRecords();
  own = [];
  view = { isCoordinator: true, mayJudge: true, hasJoined: false, live: [node(a), node(b)], fresh: [] };
  const membership = {
    get isCoordinator() {
      return view.isCoordinator;
    },
    mayJudge: () => view.mayJudge,
    joinedWithin: () => view.hasJoined,
    live: () => view.live,
    isLive: (id: string) => view.live.some(({ instanceId }) => instanceId === id) || view.fresh.includes(id),
    upInstanceOf: (nodeId: string) =>
      view.live.find(({ instanceId, state }) => state === 'up' && instanceId.startsWith(`${nodeId}/`)),
  } as unknown as Membership;
  answerTo = (method, address) => {
    if (method === 'ping') return gone;
    return view.live.some(({ instanceId }) => instanceId.endsWith(address)) ? { answer: done } : gone;
  };
  peers.answerOf = ({ method, address }) => answerTo(method, address);
  const orders = new Orders(a, peers, {
    claim: async ({ shards }: ClaimOrder) => {
      own.push(`claim ${shards.map(({ shardId, epoch }) => `${shardId}@${epoch}`).join()}`);
      for (const { shardId: shard } of shards) owns(shard, a);
      return done;
    },
    give: async ({ shardId: shard, toInstanceId }: MoveOrder) => {
      own.push(`give ${shard} to ${toInstanceId}`);
      owns(shard, toInstanceId);
      return done;
    },
    drain: () => done,
  });
  coordinator = new Coordinator({
    nodeId: 'a',
    shardCount,
    membership,
    store,
    records,
    orders,
    clock,
    observer,
    timing,
    movesInFlightMax,
  });
  coordinator.start();
});

function owns(shard: number, owner: string): void {
  store.shards.set(shardId(shard), {
    epoch: (store.shards.get(shardId(shard))?.epoch ?? 0) + 1,
    lastBatch: 0,
    owner,
  });
}

/** Shard 0 is the first one's, and so on. */
function owned(...owners: readonly string[]): void {
  for (const [shard, owner] of owners.entries()) owns(shard, owner);
}

const everyone = (...owners: readonly string[]) =>
  owned(...Array.from({ length: shardCount }, (_, shard) => owners[shard % owners.length] as string));

const tick = (times = 1) => clock.advance(times * timing.beatEveryMs);

const claimed = () => [
  ...own.filter((order) => order.startsWith('claim')),
  ...peers.asked.filter((order) => order.endsWith('claim')),
];

const plan = (shard: number, from: string, to: string): MovePlan => ({
  shardId: shardId(shard),
  fromNodeId: from,
  toNodeId: to,
  epoch: 1,
});

const phases = async () => {
  const moves = await Promise.all([1, 2, 3, 4].map((id) => records.findMove(id)));
  return moves.flatMap((move) => (move === undefined ? [] : [move.phase]));
};

/** Orders to give, as they came to other nodes. */
const given = () => peers.asked.filter((order) => order.endsWith('give'));

describe('shards of an owner that is gone', () => {
  beforeEach(() => everyone(c));

  test('are claimed, under the epochs that the store has, by those who live', async () => {
    await tick();
    const toB = peers.asked.filter((order) => order === 'b:1 claim');
    expect([own.length, toB.length]).toEqual([1, 1]);
    expect(own[0]).toMatch(/^claim (\d@1,){3}\d@1$/);
    expect(await records.listActions(1)).toMatchObject([
      { who: 'a', what: 'claim 8 shards of c', why: 'their owner is gone' },
    ]);
  });

  test.each<[string, () => void]>([
    [
      'nobody may be judged',
      () => {
        view.mayJudge = false;
      },
    ],
    [
      'it is not for this node to do',
      () => {
        view.isCoordinator = false;
      },
    ],
    ['its owner was seen a moment ago', () => view.fresh.push(c)],
    [
      'its owner answers when it is asked, whatever the registry says',
      () => {
        answerTo = (method) => (method === 'ping' ? { answer: done } : { answer: failed('never') });
      },
    ],
    [
      'nobody lives who takes shards',
      () => {
        view.live = [node(a, 'draining')];
      },
    ],
  ])('are not while %s', async (_what, given) => {
    given();
    await tick(4);
    expect(claimed()).toEqual([]);
  });

  test('are when another run of the node answers in its place', async () => {
    answerTo = (method) => ({ answer: method === 'ping' ? failed('this is c/2') : done });
    await tick();
    expect(claimed()).toHaveLength(2);
  });

  test('are claimed once, while the order is on its way', async () => {
    answerTo = (method) => (method === 'ping' ? gone : undefined);
    await tick(6);
    expect(peers.asked.filter((order) => order === 'b:1 claim')).toHaveLength(1);
  });

  test('are claimed again a moment after it failed', async () => {
    let answer = failed('no');
    answerTo = (method) => (method === 'ping' ? gone : { answer });
    await tick();
    expect(observer.faults).toEqual([`a claim by ${b} failed: no`]);
    await tick();
    expect(claimed()).toHaveLength(2);
    answer = done;
    await tick();
    expect(claimed()).toHaveLength(3);
  });
});

describe('shards that nobody has ever had', () => {
  test('are given out when nobody has joined for a while', async () => {
    view.hasJoined = true;
    await tick(3);
    expect(claimed()).toEqual([]);
    view.hasJoined = false;
    await tick();
    expect([own.length, own[0]]).toEqual([1, expect.stringMatching(/^claim (\d@0,){3}\d@0$/)]);
    expect(await records.listActions(1)).toMatchObject([
      { what: 'claim 8 shards of nobody', why: 'nobody has ever had them' },
    ]);
  });

  test('wait, while those of a node that is gone don’t', async () => {
    view.hasJoined = true;
    owned(c, b, b);
    await tick();
    expect(claimed()).toHaveLength(1);
    expect(claimed()[0]).not.toMatch(/[1-7]@/);
  });
});

describe('a node that drains', () => {
  beforeEach(() => {
    everyone(a, b);
    view.live = [node(a), node(b, 'draining'), node(c)];
  });

  test('gives its shards to the others, some at a time', async () => {
    answerTo = () => undefined;
    await tick();
    expect(given()).toEqual(['b:1 give', 'b:1 give']);
    expect(await phases()).toEqual(['running', 'running', 'planned', 'planned']);
    expect(await records.listActions(1)).toMatchObject([
      { who: 'a', what: 'move 4 shards off b', why: 'it drains' },
    ]);
    await tick();
    expect([given().length, (await records.listActions(9)).length]).toEqual([2, 1]);
  });

  test('is planned for once it has something, and for what is not on its way', async () => {
    await records.planMoves([plan(1, 'b', 'c')], by);
    answerTo = () => undefined;
    await tick();
    expect((await records.listOpenMoves()).map(({ shardId: shard }) => shard)).toEqual([1, 3, 5, 7]);
    for (const shard of [1, 3, 5, 7]) owns(shard, c);
    peers.answer(done);
    peers.answer(done);
    await tick();
    expect((await records.listActions(9)).length).toBe(2);
  });

  test('and whose moves fail is left alone for a moment', async () => {
    answerTo = () => ({ answer: failed('busy') });
    await tick();
    expect(given()).toHaveLength(movesInFlightMax);
    await tick();
    expect([given().length, (await records.listActions(9)).length]).toEqual([movesInFlightMax, 1]);
    await tick();
    expect(given().length).toBeGreaterThan(movesInFlightMax);
    expect(await records.listActions(9)).toHaveLength(2);
    const begun = given().length;
    await tick(3);
    expect(given(), 'twice as long, as it goes on').toHaveLength(begun);
    await tick();
    expect(given().length).toBeGreaterThan(begun);
  });

  test('keeps what it has where nobody takes it', async () => {
    view.live = [node(a, 'draining'), node(b, 'draining')];
    await tick(3);
    expect([given(), own, await records.listOpenMoves()]).toEqual([[], [], []]);
  });
});

describe('moves', () => {
  beforeEach(() => {
    everyone(a, b);
    view.live = [node(a), node(b), node(c)];
  });

  test('are carried out by whoever has the shard by now', async () => {
    await records.planMoves([plan(0, 'a', 'b'), plan(1, 'a', 'c')], by);
    await tick();
    expect([own, given()]).toEqual([[`give 0 to ${b}`], ['b:1 give']]);
    expect(await phases()).toEqual(['done', 'done']);
  });

  test('wait a while for a taker that has only just joined, and fail without one', async () => {
    view.live = [node(a), node(b)];
    await records.planMoves([{ ...plan(1, 'b', 'c'), epoch: 1 }], { ...by, atMs: clock.nowMs() });
    await tick();
    expect(await phases()).toEqual(['planned']);
    view.live = [node(a), node(b), node(c)];
    await tick();
    expect(await phases()).toEqual(['done']);
    view.live = [node(a), node(b)];
    await records.planMoves([plan(3, 'b', 'c')], { ...by, atMs: clock.nowMs() });
    await clock.advance(timing.leaseMs);
    await tick();
    expect(await phases()).toEqual(['done', 'failed']);
  });

  test('follow one another without a pause, so many at a time', async () => {
    await records.planMoves(
      [1, 3, 5].map((shard) => plan(shard, 'b', 'c')),
      by,
    );
    answerTo = () => undefined;
    await tick();
    expect(peers.calls).toHaveLength(2);
    expect(peers.calls[0]!.body).toEqual({ moveId: 1, shardId: 1, toInstanceId: c, instanceId: b });
    peers.answer(done);
    await clock.settle();
    expect([peers.calls.length, await phases()]).toEqual([2, ['done', 'running', 'running']]);
  });

  test('of a coordinator before this one are ordered again', async () => {
    await records.planMoves([plan(1, 'b', 'c')], by);
    await records.updateMove(1, 'running', '', 5);
    await tick();
    expect([given(), await phases()]).toEqual([['b:1 give'], ['done']]);
  });

  test.each<[string, () => void, string, string]>([
    [
      'whose taker is not up',
      () => {
        view.live = [node(a), node(b)];
      },
      'failed',
      'c is not up',
    ],
    ['of a shard that nobody has', () => store.shards.delete(shardId(1)), 'failed', 'nobody has the shard'],
    [
      'whose giver does not answer',
      () => (answerTo = () => ({ failure: 'no-answer' })),
      'failed',
      'it has not answered in time',
    ],
  ])('%s', async (_what, given_, phase, detail) => {
    view.mayJudge = false;
    await records.planMoves([plan(1, 'b', 'c')], by);
    given_();
    await tick();
    expect(await records.findMove(1)).toMatchObject({ phase, detail });
  });

  test('of a shard that is there already are not ordered', async () => {
    await records.planMoves([plan(1, 'b', 'c')], by);
    owns(1, c);
    await tick();
    expect([given(), own, await phases()]).toEqual([[], [], ['done']]);
  });

  test('that fail leave their node alone for a moment, and no other', async () => {
    await records.planMoves([plan(1, 'b', 'c'), plan(3, 'b', 'c'), plan(5, 'b', 'c'), plan(0, 'a', 'c')], by);
    answerTo = () => ({ answer: failed('busy') });
    await tick();
    expect([given().length, own]).toEqual([2, [`give 0 to ${c}`]]);
    expect(await phases()).toEqual(['failed', 'failed', 'planned', 'done']);
    answerTo = () => ({ answer: done });
    await tick();
    expect(given()).toHaveLength(2);
    await tick();
    expect(await phases()).toEqual(['failed', 'failed', 'done', 'done']);
  });

  test('whose end can’t be written down stay open, and are not ordered in a busy loop', async () => {
    await records.planMoves([plan(1, 'b', 'c')], by);
    let failures = 0;
    const update = records.updateMove.bind(records);
    records.updateMove = () => {
      failures += 1;
      return Promise.reject(new StoreUnavailable('scripted'));
    };
    await tick(2);
    expect([failures, observer.faults]).toEqual([1, []]);
    records.updateMove = update;
    await tick(2);
    expect(await phases()).toEqual(['done']);
  });
});

describe('a coordinator', () => {
  test('goes on when the store does, and says nothing of it', async () => {
    everyone(c);
    const list = store.listShards.bind(store);
    store.listShards = () => Promise.reject(new StoreUnavailable('scripted'));
    await tick(2);
    expect([claimed(), observer.faults]).toEqual([[], []]);
    store.listShards = () => Promise.reject(new TypeError('a bug'));
    await tick();
    expect(observer.faults).toEqual(['coordinating failed: a bug']);
    store.listShards = list;
    await tick();
    expect(claimed()).toHaveLength(2);
  });

  test('that is none does not even ask', async () => {
    view.isCoordinator = false;
    await tick(4);
    expect(store.calls).toEqual([]);
  });

  test('that has stopped does nothing more', async () => {
    everyone(c);
    coordinator.stop();
    await tick(4);
    expect([store.calls, clock.delaysMs]).toEqual([[], []]);
  });

  test('that stops in the middle of it sets no timer', async () => {
    store.hold('list');
    await tick();
    coordinator.stop();
    store.release('list');
    await clock.settle();
    expect(clock.delaysMs).toEqual([]);
  });
});
