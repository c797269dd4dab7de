import { beforeEach, describe, expect, test } from 'vitest';
import type { ScheduleId } from '../../../src/actors/allocator/ids.ts';
import { type ShardEpoch, StoreUnavailable } from '../../../src/actors/runtime/ports.ts';
import type { PeerResult } from '../../../src/cluster/peers.ts';
import { PersistentAsk } from '../../../src/cluster/persistent-ask.ts';
import { RouteTable } from '../../../src/cluster/route-table.ts';
import { ShardGiver } from '../../../src/cluster/shard-giver.ts';
import { done, failed, type OrderResult } from '../../../src/cluster/shard-order.ts';
import { ManualClock } from '../actors/runtime/manual-clock.ts';
import { ScriptedStore } from '../actors/runtime/scripted-store.ts';
import {
  a,
  b,
  c,
  NotedHolds,
  NotedObserver,
  ScriptedHost,
  ScriptedPeers,
  shardId,
  timing,
} from './cluster-script.ts';

const shard = shardId(4);
const order = { moveId: 7, shardId: shard, toInstanceId: b };
const sealed = [{ scheduleId: 1 as ScheduleId, seq: 3, fingerprint: 99 }];

let clock: ManualClock;
let store: ScriptedStore;
let peers: ScriptedPeers;
let host: ScriptedHost;
let holds: NotedHolds;
let observer: NotedObserver;
let routes: RouteTable;
let ask: PersistentAsk;
let giver: ShardGiver;
/** What the taker says, by method; undefined: nothing. */
let answers: Record<string, PeerResult | undefined>;

beforeEach(() => {
  clock = new ManualClock();
  store = new ScriptedStore();
  store.shards.set(shard, { epoch: 3, lastBatch: 0, owner: a });
  peers = new ScriptedPeers();
  answers = { preload: { answer: done }, activate: { answer: done } };
  peers.answerOf = ({ method }) => answers[method];
  host = new ScriptedHost();
  host.served.set(shard, 3);
  host.sealed = sealed;
  holds = new NotedHolds();
  observer = new NotedObserver();
  routes = new RouteTable();
  ask = new PersistentAsk(clock, (error) => observer.onFault('asked again', error));
  giver = new ShardGiver({
    instanceId: a,
    host,
    store,
    router: holds,
    routes,
    peers,
    ask,
    clock,
    observer,
    timing,
  });
});

const owner = () => {
  const record = store.shards.get(shard);
  return `${record?.owner.split('/')[0]} at ${record?.epoch}`;
};

/** Nobody waits for nothing, and nothing is under way. */
function expectOver(): void {
  expect([[...holds.held], giver.liveMoves(), peers.calls]).toEqual([[], [], []]);
}

/** The store refuses so often, then answers. */
function down(method: 'renewShards' | 'listShards' | 'transferShards', times: number): void {
  const call = store[method].bind(store) as (...args: unknown[]) => Promise<never>;
  let left = times;
  const failing = (...args: unknown[]) => {
    if (left === 0) return call(...args);
    left -= 1;
    return Promise.reject(new StoreUnavailable('scripted'));
  };
  Object.assign(store, { [method]: failing });
}

/** Of unknown outcome: the transfer has happened, or will not. */
function loseTransfer(hasHappened: boolean): void {
  const transfer = store.transferShards.bind(store);
  store.transferShards = async (shards, newOwner) => {
    store.transferShards = transfer;
    if (hasHappened) await transfer(shards, newOwner);
    throw new StoreUnavailable('no answer');
  };
}

async function give(): Promise<OrderResult> {
  const result = giver.give(order);
  await clock.advance(10_000);
  return result;
}

describe('a move', () => {
  test('goes through its phases, and hands on what was parked', async () => {
    answers = {};
    const result = giver.give(order);
    await clock.settle();
    const phase = () => giver.liveMoves()[0]?.phase;
    expect([phase(), [...holds.held], host.notes, peers.calls[0]!.body]).toEqual([
      'preloading',
      [],
      [],
      { scheduleIds: [1] },
    ]);
    peers.answer(done);
    await clock.settle();
    expect([phase(), [...holds.held], host.notes, peers.calls[0]!.body]).toEqual([
      'activating',
      [shard],
      ['seal 4'],
      { shardId: shard, epoch: 4, sealed },
    ]);
    expect([owner(), peers.calls[0]!.limitMs]).toEqual(['b at 4', timing.ackMaxMs]);
    await clock.advance(30);
    peers.answer(done);
    expect(await result).toEqual(done);
    expect(host.notes).toEqual(['seal 4', 'release 4']);
    expect(routes.ownerOf(shard)).toEqual({ shardId: shard, epoch: 4, owner: b });
    expect([observer.notes, observer.faults]).toEqual([['move done 30'], []]);
    expectOver();
  });

  test('that is asked for again is the same one; to somebody else it is refused', async () => {
    answers = {};
    const first = giver.give(order);
    expect(giver.give({ ...order, moveId: 8 })).toBe(first);
    expect(await giver.give({ ...order, toInstanceId: c })).toEqual(
      failed('another move of the shard is under way'),
    );
    expect(peers.asked).toEqual(['b:1 preload']);
    expect(giver.liveMoves()).toMatchObject([{ moveId: 7, shardId: shard, toInstanceId: b }]);
  });
});

describe('before the store has the taker’s name, nothing has happened', () => {
  test.each<[string, () => void, string]>([
    ['the taker has no address', () => {}, 'the taker has no address'],
    ['the shard is not here', () => host.served.clear(), 'the shard is not served here'],
    [
      'the taker can’t preload',
      () => {
        answers['preload'] = { answer: failed('no memory') };
      },
      'the taker could not preload: no memory',
    ],
    [
      'the taker is not there',
      () => {
        answers['preload'] = { failure: 'not-sent' };
      },
      'the taker could not preload: it can’t be reached',
    ],
    [
      'the shard is not sealed',
      () => {
        host.failures.seal = new Error('a batch was lost');
      },
      'a batch was lost',
    ],
  ])('%s: it goes on selling', async (what, given, detail) => {
    given();
    const move = what.includes('address') ? { ...order, toInstanceId: 'b/1' } : order;
    const result = giver.give(move);
    await clock.settle();
    expect(await result).toEqual(failed(detail));
    expect([owner(), store.calls, host.notes.filter((note) => note !== 'seal 4')]).toEqual([
      'a at 3',
      [],
      [],
    ]);
    expectOver();
  });

  test('a shard that was lost meanwhile is left alone', async () => {
    const seal = host.seal.bind(host);
    host.seal = (id) => {
      host.served.clear();
      return seal(id);
    };
    expect(await give()).toMatchObject(failed('the shard was lost'));
    expect(store.calls).toEqual([]);
    expectOver();
  });
});

describe('a transfer', () => {
  test('that the store refuses, though the shard is ours, leaves it here under a newer epoch', async () => {
    store.shards.set(shard, { epoch: 5, lastBatch: 0, owner: a });
    expect(await give()).toMatchObject(failed('the store did not take the transfer'));
    expect([owner(), host.notes]).toEqual(['a at 6', ['seal 4', 'unseal 4 at 6']]);
    expect(observer.notes).toEqual(['move failed 0']);
    expectOver();
  });

  test('of unknown outcome that has not happened can’t happen any more', async () => {
    loseTransfer(false);
    expect(await give()).toMatchObject({ isDone: false });
    expect([owner(), host.notes]).toEqual(['a at 4', ['seal 4', 'unseal 4 at 4']]);
    expectOver();
  });

  test('of unknown outcome that has happened goes on', async () => {
    loseTransfer(true);
    expect(await give()).toEqual(done);
    expect([owner(), host.notes]).toEqual(['b at 4', ['seal 4', 'release 4']]);
    expect(peers.asked).toEqual(['b:1 preload', 'b:1 activate']);
    expectOver();
  });

  test.each([true, false])(
    'that happened (%s) while the store is down is waited for, sealed',
    async (has) => {
      loseTransfer(has);
      down('renewShards', 4);
      down('listShards', 2);
      const result = giver.give(order);
      await clock.advance(900);
      expect([[...holds.held], host.notes]).toEqual([[shard], ['seal 4']]);
      await clock.advance(10_000);
      expect((await result).isDone).toBe(has);
      expect(owner()).toBe(has ? 'b at 4' : 'a at 4');
      expectOver();
    },
  );

  test('that came too late: a third has the shard', async () => {
    store.shards.set(shard, { epoch: 9, lastBatch: 0, owner: c });
    expect(await give()).toMatchObject(failed(`the shard was taken by ${c}`));
    expect([host.notes.at(-1), routes.ownerOf(shard)?.owner]).toEqual(['release 4', c]);
    expectOver();
  });
});

describe('a taker that does not say that it serves', () => {
  beforeEach(() => {
    answers['activate'] = { failure: 'no-answer' };
  });

  test('loses the shard again, and it is silent until nobody answers from memory any more', async () => {
    const result = giver.give(order);
    await clock.advance(timing.trustMs - 1);
    expect([owner(), host.notes, [...holds.held]]).toEqual(['a at 5', ['seal 4', 'release 4'], [shard]]);
    await clock.advance(1);
    expect(await result).toEqual(
      failed('the taker did not activate: it has not answered in time; the shard was taken back'),
    );
    expect([owner(), host.notes.at(-1)]).toEqual(['a at 6', 'serve 4 at 6']);
    expect(observer.notes).toEqual([`move taken-back ${timing.trustMs}`]);
    expectOver();
  });

  test('and refuses, is treated the same', async () => {
    answers['activate'] = { answer: failed('wrong epoch') };
    expect((await give()).detail).toMatch('wrong epoch');
    expect(host.served.get(shard)).toBe(6);
  });

  test('and serves under a newer epoch, keeps it', async () => {
    const transfer = store.transferShards.bind(store);
    store.transferShards = async (shards, newOwner) => {
      const given = await transfer(shards, newOwner);
      store.shards.set(shard, { epoch: 6, lastBatch: 0, owner: b });
      return given;
    };
    expect(await give()).toEqual(done);
    expect([owner(), host.notes]).toEqual(['b at 6', ['seal 4', 'release 4']]);
    expectOver();
  });

  test('and has lost it to a third: it is the third’s', async () => {
    peers.answerOf = ({ method }) => {
      if (method === 'activate') store.shards.set(shard, { epoch: 6, lastBatch: 0, owner: c });
      return answers[method];
    };
    expect(await give()).toEqual(failed(`the shard was taken by ${c}`));
    expect([host.served.size, routes.ownerOf(shard)?.owner]).toEqual([0, c]);
    expectOver();
  });

  test.each([
    { taken: 'does not happen', happens: false, ends: 'b at 4', isDone: true },
    { taken: 'happens', happens: true, ends: 'a at 6', isDone: false },
  ])('while taking it back has no answer and $taken: $ends', async ({ happens, ends, isDone }) => {
    peers.answerOf = ({ method }) => {
      if (method === 'activate') loseTransfer(happens);
      return answers[method];
    };
    down('listShards', 3);
    expect((await give()).isDone).toBe(isDone);
    expect(owner()).toBe(ends);
    expectOver();
  });

  test('while the store is away, and the shard does not come back at once: it is tried until it does', async () => {
    const result = giver.give(order);
    await clock.settle();
    down('renewShards', 2);
    host.failures.serve = new StoreUnavailable('scripted');
    await clock.advance(5_000);
    expect((await result).isDone).toBe(false);
    expect([owner(), host.notes.slice(2)]).toEqual(['a at 7', ['serve 4 at 6', 'serve 4 at 7']]);
    expectOver();
  });

  test('and a third takes it while it is silent: it is not served here', async () => {
    const result = giver.give(order);
    await clock.settle();
    store.shards.set(shard, { epoch: 9, lastBatch: 0, owner: c });
    await clock.advance(timing.trustMs);
    expect((await result).isDone).toBe(false);
    expect([host.notes, owner()]).toEqual([['seal 4', 'release 4'], 'c at 9']);
    expectOver();
  });
});

describe('a move that nobody has foreseen', () => {
  test.each<[string, () => void]>([
    [
      'in the store',
      () => {
        store.transferShards = async () => [];
        store.renewShards = () => Promise.reject(new TypeError('a bug'));
      },
    ],
    [
      'in the host',
      () => {
        answers['activate'] = { failure: 'no-answer' };
        host.failures.serve = new TypeError('a bug');
      },
    ],
  ])(
    '%s is told, holds nobody up, and leaves the shard for whoever looks after it',
    async (_where, given) => {
      given();
      expect(await give()).toEqual(failed('a bug'));
      expect([observer.faults.at(-1), host.served.size]).toEqual(['shard 4: a move broke: a bug', 0]);
      expectOver();
      host.served.set(shard, 9);
      answers = { preload: { answer: failed('no') } };
      expect((await give()).detail, 'the next one begins anew').toMatch('could not preload');
    },
  );

  test('ends with the node, and nobody waits for it', async () => {
    loseTransfer(false);
    down('renewShards', 100);
    const result = giver.give(order);
    await clock.advance(1_000);
    const faults = observer.faults.length;
    ask.stop();
    await clock.advance(1_000);
    expect((await result).isDone).toBe(false);
    expect([observer.faults.length, host.notes.at(-1)]).toEqual([faults, 'release 4']);
    expectOver();
  });
});

test('what the store has not taken is not believed to be anybody’s', async () => {
  const given: ShardEpoch[] = [];
  store.transferShards = async () => given;
  await give();
  expect(owner()).toBe('a at 4');
});
