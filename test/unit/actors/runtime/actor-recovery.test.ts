import { describe, expect, test } from 'vitest';
import { mark } from '../allocator/schedule-script.ts';
import { ActorStage, cancelIntent, holdIntent, shard } from './actor-stage.ts';

describe('waking', () => {
  test('the first command wakes it; what comes meanwhile waits, in order', async () => {
    const stage = await ActorStage.asleep();
    stage.store.hold('load');
    const answers = [
      stage.submit(holdIntent('ann', ['A1'])),
      stage.submit(holdIntent('bob', ['A1'])),
      stage.submit(cancelIntent('ann', 1)),
    ];
    await stage.clock.settle();
    expect(stage.actor.mailboxDepth).toBe(3);
    stage.store.release('load');
    await stage.clock.settle();
    expect(answers.map(({ said }) => said)).toEqual(['HELD 1', 'seats-taken', 'cancelled']);
    expect([stage.store.count('load'), stage.actor.mailboxDepth]).toEqual([1, 0]);
  });

  test('its state is what the store has', async () => {
    const before = await ActorStage.awake();
    before.submit(holdIntent('ann', ['A1', 'A2'], mark('k')));
    await before.clock.settle();
    before.actor.sleep();
    expect(before.actor.state).toBeUndefined();
    const replayed = before.submit(holdIntent('ann', ['A1', 'A2'], mark('k')));
    const refused = before.submit(holdIntent('bob', ['A2']));
    await before.clock.settle();
    expect([replayed.said, refused.said]).toEqual(['HELD 1 replayed', 'seats-taken']);
    expect(before.decisions).toContain('recovered 2 seats');
  });

  test('holds that came due while it was away end before anything else', async () => {
    const stage = await ActorStage.awake();
    stage.submit(holdIntent('ann', ['A1']));
    await stage.clock.settle();
    stage.actor.sleep();
    stage.clock.jump(10_000);
    const answer = stage.submit(holdIntent('bob', ['A1']));
    await stage.clock.settle();
    expect(answer.said).toBe('HELD 2');
    expect(stage.journal).toEqual(['1 held', '2 expired', '3 held']);
  });

  test('woken for an open hold alone, it ends it in time', async () => {
    const stage = await ActorStage.awake();
    stage.submit(holdIntent('ann', ['A1']));
    await stage.clock.settle();
    stage.actor.sleep();
    stage.actor.wake();
    await stage.clock.advance(5_000);
    expect(stage.journal).toEqual(['1 held', '2 expired']);
  });
});

describe('bounds', () => {
  test('a full mailbox refuses, and what was accepted is answered', async () => {
    const stage = await ActorStage.asleep(2);
    stage.store.hold('load');
    const answers = ['A1', 'A2', 'A3'].map((seatId) => stage.submit(holdIntent('ann', [seatId])));
    expect(answers.map(({ said }) => said)).toEqual(['waiting', 'waiting', 'overloaded']);
    stage.store.release('load');
    await stage.clock.settle();
    expect(answers.map(({ said }) => said)).toEqual(['HELD 1', 'HELD 2', 'overloaded']);
  });

  test('so does a disk that is behind', async () => {
    const stage = await ActorStage.awake(2);
    stage.store.hold('commit');
    const answers = ['A1', 'A2', 'A3'].map((seatId) => stage.submit(holdIntent('ann', [seatId])));
    expect(answers.map(({ said }) => said)).toEqual(['waiting', 'waiting', 'overloaded']);
    stage.store.release('commit');
    await stage.clock.settle();
    expect(stage.submit(holdIntent('ann', ['A3'])).said).toBe('waiting');
  });
});

describe('a batch that is not on disk', () => {
  test('takes the memory with it; the next command meets what the store has', async () => {
    const stage = await ActorStage.awake();
    stage.store.commitSteps = ['committed', 'unavailable'];
    stage.submit(holdIntent('ann', ['A1']));
    await stage.clock.settle();
    const lost = stage.submit(holdIntent('ann', ['A2']));
    await stage.clock.settle();
    expect(lost.said).toBe('store-unavailable');
    const after = [stage.submit(holdIntent('bob', ['A2'])), stage.submit(holdIntent('bob', ['A1']))];
    await stage.clock.settle();
    expect(after.map(({ said }) => said)).toEqual(['HELD 2', 'seats-taken']);
    expect(stage.journal).toEqual(['1 held', '2 held']);
  });

  test('recovers by itself, so that open holds end', async () => {
    const stage = await ActorStage.awake();
    stage.store.commitSteps = ['committed', 'unavailable'];
    stage.submit(holdIntent('ann', ['A1']));
    await stage.clock.settle();
    stage.submit(holdIntent('ann', ['A2']));
    await stage.clock.advance(5_100);
    expect(stage.journal).toEqual(['1 held', '2 expired']);
  });

  test('of unknown fate: nothing is read before the shard was renewed', async () => {
    const stage = await ActorStage.awake();
    stage.store.commitSteps = ['vanished'];
    stage.store.failResolutions = 1;
    stage.submit(holdIntent('ann', ['A1']));
    await stage.clock.settle();
    expect(stage.ownership.standing(shard)).toBe('suspect');
    stage.store.calls.length = 0;
    const after = stage.submit(holdIntent('bob', ['A1']));
    await stage.clock.settle();
    expect(stage.store.calls).toEqual(['renew', 'load', 'commit']);
    expect(after.said).toBe('HELD 1');
  });

  test('of unknown fate, in another schedule of the shard: memory goes here, too', async () => {
    const stage = await ActorStage.awake();
    stage.ownership.markSuspect([shard]);
    const answer = stage.submit(holdIntent('ann', ['A1']));
    expect(stage.actor.state).toBeUndefined();
    await stage.clock.settle();
    expect(answer.said).toBe('HELD 1');
    expect(stage.ownership.epoch(shard)).toBe(2);
  });

  test('in a shard that is lost: never loaded, never taken back (I3)', async () => {
    const stage = await ActorStage.awake();
    stage.store.takeAway(shard);
    const answers = [stage.submit(holdIntent('ann', ['A1']))];
    await stage.clock.settle();
    await stage.clock.advance(1_000);
    expect(stage.ownership.standing(shard)).toBe('lost');
    stage.store.calls.length = 0;
    answers.push(stage.submit(holdIntent('bob', ['A1'])));
    await stage.clock.advance(60_000);
    expect(answers.map(({ said }) => said)).toEqual(['shard-moving', 'shard-moving']);
    expect(stage.store.calls).toEqual([]);
    expect(stage.clock.delaysMs).toEqual([]);
  });
});

describe('a command that breaks', () => {
  test('is answered, memory is dropped, the next one finds the state of the store', async () => {
    const stage = await ActorStage.awake();
    const sound = stage.terms;
    stage.submit(holdIntent('ann', ['A1']));
    await stage.clock.settle();
    stage.terms = { ...sound, priceMinorOfCategory: [] };
    stage.actor.sleep();
    const broken = stage.submit(holdIntent('bob', ['A2']));
    await stage.clock.settle();
    expect(broken.said).toBe('store-unavailable');
    expect(stage.faults).toEqual([expect.stringContaining('integer price')]);
    stage.terms = sound;
    const after = [stage.submit(holdIntent('bob', ['A2'])), stage.read(1, 'ann')];
    await stage.clock.settle();
    expect(after.map(({ said }) => said)).toEqual(['HELD 2', 'HELD 1']);
  });

  test('recovery waits for what is in flight: it may still become history', async () => {
    const stage = await ActorStage.awake();
    stage.store.hold('commit');
    const first = stage.submit(holdIntent('ann', ['A1']));
    await stage.clock.settle();
    stage.actor.enqueue({
      run: () => {
        throw new Error('a bug');
      },
      fail: () => {},
    });
    const after = stage.submit(holdIntent('bob', ['A1']));
    await stage.clock.settle();
    expect([stage.store.count('load'), after.said]).toEqual([1, 'waiting']);
    stage.store.release('commit');
    await stage.clock.settle();
    expect([first.said, after.said]).toEqual(['HELD 1', 'seats-taken']);
  });
});

describe('a store that is down', () => {
  test('is asked again after pauses that double up to 5 s, until it answers', async () => {
    const stage = await ActorStage.asleep();
    stage.store.failLoads = 9;
    stage.actor.wake();
    await stage.clock.settle();
    const pausesMs: number[] = [];
    while (stage.actor.state === undefined) {
      const [delayMs] = stage.clock.delaysMs;
      if (delayMs === undefined) throw new Error('nobody tries again');
      pausesMs.push(delayMs);
      await stage.clock.advance(delayMs);
    }
    expect(pausesMs).toEqual([100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000]);
    expect(stage.faults).toHaveLength(9);
  });

  test('pauses start short again after a recovery', async () => {
    const stage = await ActorStage.asleep();
    stage.store.failLoads = 3;
    stage.actor.wake();
    await stage.clock.advance(1_000);
    expect(stage.actor.state).toBeDefined();
    stage.actor.sleep();
    stage.store.failLoads = 1;
    stage.actor.wake();
    await stage.clock.settle();
    expect(stage.clock.delaysMs).toEqual([100]);
  });

  test('a command that waits for it is answered at once, not parked', async () => {
    const stage = await ActorStage.asleep();
    stage.store.failLoads = 1;
    const answer = stage.submit(holdIntent('ann', ['A1']));
    await stage.clock.settle();
    expect(answer.said).toBe('store-unavailable');
    expect(stage.actor.mailboxDepth).toBe(0);
  });
});

describe('an inspection shows memory beside the store', () => {
  const nothing = async () => undefined;

  test('as of one moment: commands wait, then run in order', async () => {
    const stage = await ActorStage.awake();
    stage.submit(holdIntent('ann', ['A1']));
    await stage.clock.settle();
    stage.submit(holdIntent('bob', ['A2']));
    stage.store.hold('load');
    const seen = stage.actor.inspect(nothing, (state, stored) => [state.seq, stored.tail.length]);
    await stage.clock.settle();
    const answers = [stage.submit(holdIntent('cid', ['A3'])), stage.submit(cancelIntent('cid', 3))];
    await stage.clock.settle();
    expect(answers.map(({ said }) => said)).toEqual(['waiting', 'waiting']);
    stage.store.release('load');
    expect(await seen).toEqual([2, 2]);
    await stage.clock.settle();
    expect(answers.map(({ said }) => said)).toEqual(['HELD 3', 'cancelled']);
  });

  test('a hold that comes due meanwhile ends afterwards', async () => {
    const stage = await ActorStage.awake();
    stage.submit(holdIntent('ann', ['A1']));
    await stage.clock.settle();
    stage.store.hold('load');
    const seen = stage.actor.inspect(nothing, (state) => state.seq);
    await stage.clock.advance(5_100);
    expect(stage.journal).toEqual(['1 held']);
    stage.store.release('load');
    expect(await seen).toBe(1);
    await stage.clock.advance(1_000);
    expect(stage.journal).toEqual(['1 held', '2 expired']);
  });

  test('of a store that fails: the failure is told, and commands go on', async () => {
    const stage = await ActorStage.awake();
    stage.store.failLoads = 1;
    await expect(stage.actor.inspect(nothing, () => 'seen')).rejects.toThrow('scripted');
    const answer = stage.submit(holdIntent('ann', ['A1']));
    await stage.clock.settle();
    expect(answer.said).toBe('HELD 1');
  });

  test('and beside something else, which commands wait for as well', async () => {
    const stage = await ActorStage.awake();
    const beside = Promise.withResolvers<string>();
    const seen = stage.actor.inspect(
      () => beside.promise,
      (state, _stored, other) => `${other} at seq ${state.seq}`,
    );
    await stage.clock.settle();
    const answer = stage.submit(holdIntent('ann', ['A1']));
    await stage.clock.settle();
    expect(answer.said).toBe('waiting');
    beside.resolve('the ledger');
    expect(await seen).toBe('the ledger at seq 0');
    await stage.clock.settle();
    expect(answer.said).toBe('HELD 1');
  });

  test('beside something that fails: the failure is told, and commands go on', async () => {
    const stage = await ActorStage.awake();
    const seen = stage.actor.inspect(
      () => Promise.reject(new Error('no ledger')),
      () => 'seen',
    );
    await expect(seen).rejects.toThrow('no ledger');
    const answer = stage.submit(holdIntent('ann', ['A1']));
    await stage.clock.settle();
    expect(answer.said).toBe('HELD 1');
  });

  test('of an actor that lost its memory meanwhile: no answer about nothing', async () => {
    const stage = await ActorStage.awake();
    stage.store.commitSteps = ['unavailable'];
    stage.submit(holdIntent('ann', ['A1']));
    const seen = stage.actor.inspect(nothing, () => 'seen');
    await stage.clock.settle();
    expect(await seen).toBe('store-unavailable');
  });
});

describe('idle: nothing open and nothing on its way', () => {
  test('after the time, and not a moment before', async () => {
    const stage = await ActorStage.awake();
    await stage.clock.advance(999);
    expect(stage.actor.isIdle(1_000)).toBe(false);
    await stage.clock.advance(1);
    expect(stage.actor.isIdle(1_000)).toBe(true);
    stage.submit(holdIntent('ann', ['Z1']));
    expect(stage.actor.isIdle(1_000)).toBe(false);
  });

  test('never with an open hold, nor while something waits for the disk', async () => {
    const stage = await ActorStage.awake();
    stage.submit(holdIntent('ann', ['A1']));
    await stage.clock.advance(2_000);
    expect(stage.actor.isIdle(1_000)).toBe(false);
    stage.store.hold('commit');
    stage.submit(cancelIntent('ann', 1));
    await stage.clock.advance(2_000);
    expect(stage.actor.isIdle(1_000)).toBe(false);
    stage.store.release('commit');
    await stage.clock.settle();
    expect(stage.actor.isIdle(1_000)).toBe(true);
  });
});
