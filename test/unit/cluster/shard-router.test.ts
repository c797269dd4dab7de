import { beforeEach, describe, expect, test } from 'vitest';
import { type ScheduleId, shardOf } from '../../../src/actors/allocator/ids.ts';
import { type Outcome, unavailable, untouched } from '../../../src/actors/runtime/outcome.ts';
import type { ShardRecord } from '../../../src/actors/runtime/ports.ts';
import type { ShardAnswer, ShardCall } from '../../../src/cluster/shard-call.ts';
import { a, b, c, shardId, timing } from './cluster-script.ts';
import { calls, owned, payWaitMaxMs, RouterStage, shard } from './router-stage.ts';

const done: Outcome = { kind: 'cancelled' };

let stage: RouterStage;
beforeEach(() => {
  stage = new RouterStage();
});

describe('a call of a shard that is served here', () => {
  beforeEach(() => stage.host.served.set(shard, 1));

  test.each(['hold', 'pay', 'read'] as const)('%s is carried out here', (kind) => {
    const told = stage.route(calls[kind]);
    expect([told.word, stage.begun.map(({ label }) => label)]).toEqual(['waiting', [kind]]);
    stage.begun[0]!.answer(done);
    expect(told.answer).toBe(done);
  });

  test('reads that are asked for are told why not, as outcomes', async () => {
    const told = [stage.route(calls.count), stage.route(calls.audit)];
    await stage.clock.settle();
    expect(told.map(({ answer }) => answer)).toEqual([
      unavailable('overloaded'),
      { kind: 'checks', checks: [] },
    ]);
  });

  test('whatever the routes say', () => {
    stage.routes.read([owned(b, 9)]);
    stage.route(calls.hold);
    expect([stage.begun.length, stage.peers.asked]).toEqual([1, []]);
  });

  test.each<{ given: string; call: keyof typeof calls; answer: ShardAnswer; word: string }>([
    { given: 'was not begun', call: 'hold', answer: untouched('shard-moving'), word: 'waiting' },
    { given: 'may have begun', call: 'hold', answer: unavailable('shard-moving'), word: 'shard-moving' },
    { given: 'may be repeated', call: 'keyed', answer: unavailable('shard-moving'), word: 'waiting' },
    { given: 'may be repeated', call: 'cancel', answer: unavailable('shard-moving'), word: 'waiting' },
    { given: 'may have begun', call: 'pay', answer: unavailable('shard-moving'), word: 'shard-moving' },
    { given: 'may be repeated', call: 'keyedPay', answer: unavailable('shard-moving'), word: 'waiting' },
    { given: 'may have begun', call: 'block', answer: unavailable('shard-moving'), word: 'shard-moving' },
    { given: 'failed', call: 'keyed', answer: unavailable('store-unavailable'), word: 'store-unavailable' },
    { given: 'is one too many', call: 'hold', answer: untouched('overloaded'), word: 'overloaded untouched' },
  ])('$call, which $given when the shard moves: $word', ({ call, answer, word }) => {
    const told = stage.route(calls[call]);
    stage.begun[0]!.answer(answer);
    expect(told.word).toBe(word);
  });

  test('follows its shard', async () => {
    const told = stage.route(calls.hold);
    stage.host.served.clear();
    stage.begun[0]!.answer(untouched('shard-moving'));
    stage.records = [owned(b, 2)];
    await stage.look();
    expect(stage.peers.calls.map(({ address, body }) => [address, body])).toEqual([
      ['b:1', { call: calls.hold, hops: 1 }],
    ]);
    stage.peers.answer(done);
    expect(told.word).toBe('cancelled');
  });
});

describe('a call of a shard of another node', () => {
  beforeEach(() => stage.routes.read([owned(b)]));

  test('goes there, and its answer comes back', () => {
    const told = stage.route(calls.hold);
    expect(stage.peers.asked).toEqual(['b:1 call']);
    stage.peers.answer(done);
    expect([told.answer, stage.observer.notes]).toEqual([done, ['submit answered']]);
  });

  test.each([
    ['hold', timing.callMaxMs],
    ['pay', timing.callMaxMs + payWaitMaxMs],
  ] as const)('%s is waited for %i ms', (kind, limitMs) => {
    stage.route(calls[kind]);
    expect(stage.peers.calls[0]!.limitMs).toBe(limitMs);
  });

  test.each<{ failure: 'not-sent' | 'no-answer'; call: keyof typeof calls; word: string }>([
    { failure: 'not-sent', call: 'hold', word: 'waiting' },
    { failure: 'not-sent', call: 'pay', word: 'waiting' },
    { failure: 'no-answer', call: 'hold', word: 'shard-moving' },
    { failure: 'no-answer', call: 'pay', word: 'shard-moving' },
    { failure: 'no-answer', call: 'block', word: 'shard-moving' },
    { failure: 'no-answer', call: 'keyed', word: 'waiting' },
    { failure: 'no-answer', call: 'keyedPay', word: 'waiting' },
    { failure: 'no-answer', call: 'cancel', word: 'waiting' },
    { failure: 'no-answer', call: 'read', word: 'waiting' },
    { failure: 'no-answer', call: 'count', word: 'waiting' },
    { failure: 'no-answer', call: 'audit', word: 'waiting' },
  ])('$call, $failure: $word', ({ failure, call, word }) => {
    const told = stage.route(calls[call]);
    stage.peers.fail(failure);
    expect([told.word, stage.router.parkedCalls]).toEqual([word, word === 'waiting' ? 1 : 0]);
  });

  test('that was not carried out goes to the next owner, when there is one', async () => {
    const told = stage.route(calls.hold);
    stage.peers.fail('not-sent');
    stage.records = [owned(c, 2)];
    await stage.look();
    expect([stage.peers.asked, stage.looks]).toEqual([['b:1 call', 'c:1 call'], 1]);
    stage.peers.answer(done);
    expect(told.word).toBe('cancelled');
  });

  test('goes on at once to the owner of whom it hears there', () => {
    stage.route(calls.hold);
    stage.peers.answer({ kind: 'not-owner', owner: owned(c, 2) });
    expect(stage.peers.asked).toEqual(['b:1 call', 'c:1 call']);
    expect(stage.observer.notes).toEqual(['submit not-owner']);
  });

  test.each<[string, ShardRecord | undefined]>([
    ['nothing', undefined],
    ['nothing new', owned(b)],
    ['old things', owned(c, 1)],
  ])('waits for the store where it hears %s there', async (_what, owner) => {
    stage.route(calls.hold);
    stage.peers.answer({ kind: 'not-owner', ...(owner && { owner }) });
    expect([stage.peers.asked.length, stage.router.parkedCalls]).toEqual([1, 1]);
    stage.records = [owned(c, 5)];
    await stage.look();
    expect(stage.peers.asked).toEqual(['b:1 call', 'c:1 call']);
  });

  test('is not sent again while it may be under way, but when it was not begun there', async () => {
    const told = [stage.route(calls.hold), stage.route(calls.hold)];
    stage.peers.answer(untouched('shard-moving'));
    stage.peers.answer(unavailable('shard-moving'));
    expect(told.map(({ word }) => word)).toEqual(['waiting', 'shard-moving']);
  });

  test('waits where the owner has no address', () => {
    stage.routes.read([owned('b/1')]);
    stage.route(calls.hold);
    expect([stage.peers.asked, stage.router.parkedCalls]).toEqual([[], 1]);
  });

  test('keeps its order, parked and not', async () => {
    stage.routes.read([owned(a)]);
    stage.route(calls.hold);
    stage.route(calls.keyed);
    stage.routes.read([owned(b, 2)]);
    stage.route(calls.cancel);
    expect(stage.peers.calls, 'nobody overtakes those who wait').toEqual([]);
    stage.router.onRoutesChanged([shard]);
    expect(stage.peers.calls.map(({ body }) => (body as { call: ShardCall }).call)).toEqual([
      calls.hold,
      calls.keyed,
      calls.cancel,
    ]);
  });
});

describe('a call from another node', () => {
  test('is carried out where the shard is served', () => {
    stage.host.served.set(shard, 1);
    const told = stage.receive(calls.hold);
    stage.begun[0]!.answer(done);
    expect(told.answer).toBe(done);
  });

  test.each<[string, ShardRecord | undefined, unknown]>([
    ['nobody, as far as it knows', undefined, { kind: 'not-owner' }],
    ['another node', owned(c, 4), { kind: 'not-owner', owner: owned(c, 4) }],
  ])('is sent back from a node that does not own it: %s does', (_what, record, answer) => {
    if (record !== undefined) stage.routes.read([record]);
    expect(stage.receive(calls.hold).answer).toEqual(answer);
    expect([stage.peers.asked, stage.router.parkedCalls]).toEqual([[], 0]);
  });

  test('waits with the others while the shard moves, and goes back: only its sender knows who still waits', () => {
    stage.host.served.set(shard, 1);
    stage.router.hold(shard);
    const told = stage.receive(calls.hold);
    stage.host.served.clear();
    stage.routes.hear([owned(b, 2)]);
    stage.router.letGo(shard);
    expect([stage.peers.asked, told.answer]).toEqual([[], { kind: 'not-owner', owner: owned(b, 2) }]);
  });

  test('waits where the shard is on its way in', () => {
    stage.router.hold(shard);
    const told = stage.receive(calls.hold);
    expect([told.word, stage.router.parkedCalls]).toEqual(['waiting', 1]);
    stage.host.served.set(shard, 1);
    stage.router.letGo(shard);
    expect(stage.begun).toHaveLength(1);
  });

  test('waits behind those who wait already', () => {
    stage.route(calls.keyed);
    stage.receive(calls.hold);
    expect(stage.router.parkedCalls).toBe(2);
  });

  test.each([
    ['of a kind that this version does not know', { call: { kind: 'swap', scheduleId: 1 }, hops: 1 }],
    ['without a schedule', { call: { kind: 'count', scheduleId: 'one' }, hops: 1 }],
    ['without its hops', { call: calls.hold }],
    ['that is none', { call: 'hold', hops: 1 }],
  ])('%s is refused', (_what, body) => {
    stage.host.served.set(shard, 1);
    let answer: unknown;
    stage.router.receive(body, (given) => {
      answer = given;
    });
    expect(answer).toMatchObject({ kind: 'unavailable', code: 'not-ready' });
    expect(stage.begun).toEqual([]);
  });
});

describe('a call of a schedule that this node has not heard of', () => {
  const call = { ...calls.count, scheduleId: 3 as ScheduleId };

  test.each([
    ['is answered when another node has created it', [3], false, 'overloaded'],
    ['is not found when nobody has', [], false, 'rejected'],
    ['has certainly not begun while the store is silent', [3], true, 'store-unavailable untouched'],
  ] as const)('%s', async (_what, learnt, isDown, word) => {
    stage.host.served.set(shard, 1);
    stage.toLearn = [...learnt];
    stage.isStoreDown = isDown;
    const told = [stage.route(call), stage.receive(call)];
    await stage.clock.settle();
    expect(told.map((each) => each.word)).toEqual([word, word]);
  });
});

test('shards are told apart', async () => {
  const two = new RouterStage(2);
  const own = shardOf(1 as ScheduleId, 2);
  two.router.hold(own);
  two.host.served.set(own, 1);
  two.host.served.set(shardId(1 - own), 1);
  const ids = [1, 2].map((id) => id as ScheduleId);
  expect(ids.map((id) => shardOf(id, 2) === own)).toEqual([true, false]);
  const told = ids.map((scheduleId) => two.route({ kind: 'audit', scheduleId }));
  await two.clock.settle();
  expect(told.map(({ word }) => word)).toEqual(['waiting', 'checks']);
});
