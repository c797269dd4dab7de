import { beforeEach, describe, expect, test } from 'vitest';
import { type Outcome, unavailable } from '../../../src/actors/runtime/outcome.ts';
import { a, b, timing } from './cluster-script.ts';
import { calls, owned, parkedCallsMax, RouterStage, shard } from './router-stage.ts';

const done: Outcome = { kind: 'cancelled' };

let stage: RouterStage;
beforeEach(() => {
  stage = new RouterStage();
});

describe('a call of a shard without an owner who answers', () => {
  test('is tried when the store names one, and not before', async () => {
    const told = stage.route(calls.hold);
    await stage.look();
    await stage.look();
    expect([told.word, stage.looks, stage.router.parkedCalls]).toEqual(['waiting', 2, 1]);
    stage.host.served.set(shard, 1);
    await stage.look();
    expect([stage.begun.length, stage.router.parkedCalls]).toEqual([1, 0]);
    stage.begun[0]!.answer(done);
    await stage.look();
    expect(stage.looks, 'nobody waits').toBe(3);
    expect(stage.observer.notes).toContain('routed 300');
  });

  test('waits where the store names this node, which does not serve it', () => {
    stage.routes.read([owned(a)]);
    stage.route(calls.hold);
    expect([stage.router.parkedCalls, stage.begun.length, stage.peers.asked]).toEqual([1, 0, []]);
  });

  test.each(['hold', 'keyed'] as const)(
    '%s is refused when it has waited too long, as not begun',
    async (kind) => {
      const told = stage.route(calls[kind]);
      await stage.clock.advance(timing.parkMaxMs - 1);
      expect(told.word).toBe('waiting');
      await stage.clock.advance(1);
      expect(told.word).toBe('shard-moving untouched');
      expect(stage.observer.notes.at(-1)).toBe('expired 2000');
      expect(stage.clock.delaysMs).toEqual([]);
    },
  );

  test('waits no longer for having been sent in between', async () => {
    const told = stage.route(calls.hold);
    await stage.clock.advance(1_800);
    stage.records = [owned(b)];
    await stage.look();
    await stage.clock.advance(500);
    stage.peers.fail('not-sent');
    expect(told.word).toBe('shard-moving untouched');
  });

  test('one too many is refused at once', () => {
    const told = Array.from({ length: parkedCallsMax + 1 }, () => stage.route(calls.hold));
    expect(told.map(({ word }) => word)).toEqual(['waiting', 'waiting', 'waiting', 'overloaded untouched']);
    expect(stage.observer.notes.at(-1)).toBe('full 0');
  });

  test('is tried all the same while the store is silent', async () => {
    stage.isStoreDown = true;
    const told = stage.route(calls.hold);
    stage.host.served.set(shard, 1);
    await stage.look();
    stage.begun[0]!.answer(done);
    expect(told.word).toBe('cancelled');
  });

  test('is waited for by one question at a time', async () => {
    const answered = Promise.withResolvers<void>();
    stage.answered = answered.promise;
    stage.route(calls.hold);
    await stage.clock.advance(1_000);
    expect(stage.looks).toBe(1);
    answered.resolve();
    await stage.look();
    expect(stage.looks).toBe(2);
  });
});

describe('a shard whose calls are held', () => {
  beforeEach(() => stage.host.served.set(shard, 1));

  test('has them wait, whoever seems to own it, until it is let go', async () => {
    stage.router.hold(shard);
    const told = [stage.route(calls.hold), stage.route(calls.keyed)];
    stage.router.onRoutesChanged([shard]);
    await stage.look();
    expect([stage.begun.length, stage.router.parkedCalls, stage.router.isHeld(shard)]).toEqual([0, 2, true]);
    expect(stage.observer.notes, 'and nobody tries in between').toEqual(['waits 0', 'waits 0']);
    stage.router.letGo(shard);
    expect(stage.begun.map(({ label }) => label)).toEqual(['hold', 'hold']);
    for (const { answer } of stage.begun) answer(done);
    expect(told.map(({ word }) => word)).toEqual(['cancelled', 'cancelled']);
  });

  test('sends them after it, when it has moved', () => {
    stage.router.hold(shard);
    stage.route(calls.hold);
    stage.host.served.clear();
    stage.routes.hear([owned(b, 2)]);
    stage.router.letGo(shard);
    expect(stage.peers.asked).toEqual(['b:1 call']);
  });
});

describe('a node that stops', () => {
  test('tells those who wait, parks nobody, and asks nothing more', async () => {
    const told = [stage.route(calls.hold), stage.route(calls.keyed)];
    stage.router.stop();
    expect(told.map(({ word }) => word)).toEqual(['shard-moving untouched', 'shard-moving untouched']);
    expect(stage.route(calls.hold).word).toBe('shard-moving untouched');
    await stage.clock.advance(10_000);
    expect([stage.looks, stage.clock.delaysMs, stage.router.parkedCalls]).toEqual([0, [], 0]);
  });

  test('does not wait for what comes back to it', () => {
    stage.routes.read([owned(b)]);
    const told = stage.route(calls.keyed);
    stage.router.stop();
    stage.peers.fail('no-answer');
    expect(told.word).toBe('shard-moving untouched');
  });

  test('passes on what its actors say', () => {
    stage.host.served.set(shard, 1);
    const told = stage.route(calls.keyed);
    stage.router.stop();
    stage.begun[0]!.answer(unavailable('shard-moving'));
    expect(told.word).toBe('shard-moving');
  });
});
