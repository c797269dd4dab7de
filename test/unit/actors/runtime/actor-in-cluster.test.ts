import { describe, expect, test } from 'vitest';
import type { ShardRecord } from '../../../../src/actors/runtime/ports.ts';
import { StoreUnavailable } from '../../../../src/actors/runtime/ports.ts';
import { ActorStage, holdIntent, shard } from './actor-stage.ts';

const trustMs = 1_000;

/** Awake, with A1 held by Ann; the store has just said that the shard is ours. */
async function selling(): Promise<ActorStage> {
  const stage = await ActorStage.awake(100, trustMs);
  stage.submit(holdIntent('ann', ['A1']));
  await stage.clock.settle();
  stage.store.calls.length = 0;
  return stage;
}

describe('what rests on memory alone is answered while the store has said lately that it is ours (I12)', () => {
  test('at once, for as long as that', async () => {
    const stage = await selling();
    await stage.clock.advance(trustMs);
    const answers = [stage.submit(holdIntent('bob', ['A1'])), stage.read(1, 'ann')];
    expect(answers.map(({ said }) => said)).toEqual(['seats-taken', 'HELD 1']);
    expect([stage.store.calls, stage.actor.readAvailability()?.available]).toEqual([[], 3]);
  });

  test('and after that when it has said so again, in order', async () => {
    const stage = await selling();
    await stage.clock.advance(trustMs + 1);
    expect(stage.actor.readAvailability()).toBeUndefined();
    stage.store.hold('list');
    const answers = [
      stage.submit(holdIntent('bob', ['A1'])),
      stage.submit(holdIntent('bob', ['A2'])),
      stage.submit(holdIntent('eve', ['A2'])),
    ];
    await stage.clock.settle();
    expect(answers.map(({ said }) => said)).toEqual(['waiting', 'waiting', 'waiting']);
    stage.store.release('list');
    await stage.clock.settle();
    expect(answers.map(({ said }) => said)).toEqual(['seats-taken', 'HELD 2', 'seats-taken']);
    expect(stage.store.calls, 'one question, and nothing is loaded again').toEqual(['list', 'commit']);
  });

  test('asks once more when the answer has been too long on its way', async () => {
    const stage = await selling();
    await stage.clock.advance(trustMs + 1);
    stage.store.hold('list');
    const answer = stage.submit(holdIntent('bob', ['A1']));
    await stage.clock.advance(trustMs + 1);
    stage.store.release('list');
    await stage.clock.settle();
    expect([answer.said, stage.store.calls]).toEqual(['seats-taken', ['list', 'list']]);
  });

  test('and twice too late is refused: it was not begun', async () => {
    const stage = await selling();
    await stage.clock.advance(trustMs + 1);
    const list = stage.store.listShards.bind(stage.store);
    stage.store.listShards = async (): Promise<readonly ShardRecord[]> => {
      await new Promise<void>((resolve) => stage.clock.setTimer(trustMs + 1, resolve));
      return list();
    };
    const answer = stage.submit(holdIntent('bob', ['A2']));
    await stage.clock.advance(10_000);
    expect(answer.outcome).toMatchObject({ code: 'store-unavailable', isUntouched: true });
    expect(stage.journal).toEqual(['1 held']);
  });

  test('is refused while the store says nothing, and answered when it does again', async () => {
    const stage = await selling();
    await stage.clock.advance(trustMs + 1);
    const list = stage.store.listShards.bind(stage.store);
    stage.store.listShards = () => Promise.reject(new StoreUnavailable('scripted'));
    const refused = stage.submit(holdIntent('bob', ['A1']));
    await stage.clock.settle();
    expect(refused.outcome).toMatchObject({ code: 'store-unavailable', isUntouched: true });
    expect(stage.faults).toHaveLength(1);
    stage.store.listShards = list;
    const answer = stage.submit(holdIntent('bob', ['A1']));
    await stage.clock.settle();
    expect(answer.said).toBe('seats-taken');
  });

  test('is not answered by a process that was frozen while another has taken the shard', async () => {
    const stage = await selling();
    await stage.clock.advance(4_000);
    stage.store.takeAway(shard);
    const answers = [stage.submit(holdIntent('bob', ['A1'])), stage.read(1, 'ann')];
    await stage.clock.settle();
    expect(answers.map(({ said }) => said)).toEqual(['shard-moving', 'shard-moving']);
    expect(stage.actor.state).toBeUndefined();
    await stage.clock.advance(60_000);
    expect([stage.clock.delaysMs, stage.journal]).toEqual([[], ['1 held']]);
  });

  test('a hold that is due waits for the store as well', async () => {
    const stage = await selling();
    const list = stage.store.listShards.bind(stage.store);
    stage.store.listShards = () => Promise.reject(new StoreUnavailable('scripted'));
    await stage.clock.advance(8_000);
    expect(stage.journal).toEqual(['1 held']);
    stage.store.listShards = list;
    await stage.ownership.confirm();
    await stage.clock.advance(1_000);
    expect(stage.journal).toEqual(['1 held', '2 expired']);
  });
});

describe('an actor that was paused', () => {
  test('twice is resumed twice', async () => {
    const stage = await selling();
    stage.actor.pause();
    stage.actor.pause();
    const answer = stage.submit(holdIntent('bob', ['A2']));
    stage.actor.resume();
    await stage.clock.settle();
    expect(answer.said).toBe('waiting');
    stage.actor.resume();
    await stage.clock.settle();
    expect(answer.said).toBe('HELD 2');
  });

  test('says what it has when all of it is on disk', async () => {
    const stage = await selling();
    stage.store.hold('commit');
    stage.submit(holdIntent('bob', ['A2']));
    stage.actor.pause();
    let sealed: unknown;
    void stage.actor.sealed().then((result) => {
      sealed = result;
    });
    await stage.clock.settle();
    expect(sealed).toBeUndefined();
    stage.store.release('commit');
    await stage.clock.settle();
    expect(sealed).toEqual({ scheduleId: 7, seq: 2, fingerprint: stage.actor.fingerprint });
  });

  test('asleep has nothing to say', async () => {
    const stage = await ActorStage.asleep();
    stage.actor.pause();
    expect([await stage.actor.sealed(), stage.actor.fingerprint]).toEqual([undefined, undefined]);
  });

  test('while it recovers says what it has recovered', async () => {
    const stage = await ActorStage.asleep();
    stage.store.hold('load');
    stage.actor.wake();
    stage.actor.pause();
    const sealed = stage.actor.sealed();
    stage.store.release('load');
    expect(await sealed).toMatchObject({ seq: 0 });
  });

  test('is not idle, and refuses what is too much', async () => {
    const stage = await ActorStage.awake(2);
    stage.actor.pause();
    expect(stage.actor.isIdle(0)).toBe(false);
    const answers = ['A1', 'A2', 'A3'].map((seat) => stage.submit(holdIntent('ann', [seat])));
    expect(answers.map(({ said }) => said)).toEqual(['waiting', 'waiting', 'overloaded']);
  });
});

describe('an actor that was dismissed', () => {
  test('tells what waits, and has no timer', async () => {
    const stage = await selling();
    stage.actor.pause();
    const answer = stage.submit(holdIntent('bob', ['A2']));
    stage.actor.dismiss();
    expect(answer.outcome).toMatchObject({ code: 'shard-moving', isUntouched: true });
    expect([stage.actor.state, stage.clock.delaysMs]).toEqual([undefined, []]);
  });

  test.each([
    ['in the middle of its recovery', (stage: ActorStage) => stage.store.hold('load')],
    [
      'before a recovery that fails',
      (stage: ActorStage) => {
        stage.store.hold('load');
        stage.store.failLoads = 1;
      },
    ],
  ])('%s stays asleep, though the shard is ours again', async (_when, given) => {
    const stage = await ActorStage.asleep();
    given(stage);
    const answer = stage.submit(holdIntent('ann', ['A1']));
    await stage.clock.settle();
    stage.actor.dismiss();
    const late = stage.submit(holdIntent('ann', ['A1']));
    stage.store.release('load');
    await stage.clock.advance(60_000);
    expect([answer.said, late.said]).toEqual(['shard-moving', 'shard-moving']);
    expect([stage.actor.state, stage.clock.delaysMs, stage.journal]).toEqual([undefined, [], []]);
  });

  test('and whose last batch is lost stays asleep as well', async () => {
    const stage = await selling();
    stage.store.hold('commit');
    stage.store.commitSteps = ['unavailable'];
    const answer = stage.submit(holdIntent('bob', ['A2']));
    await stage.clock.settle();
    stage.actor.dismiss();
    stage.store.release('commit');
    await stage.clock.advance(60_000);
    expect([answer.said, stage.store.count('load'), stage.clock.delaysMs]).toEqual([
      'store-unavailable',
      0,
      [],
    ]);
  });
});

test('whoever watches an actor that sleeps hears of it once', async () => {
  const stage = await selling();
  let ends = 0;
  stage.actor.watch({
    onStart: () => {},
    onChange: () => {},
    onEnd: () => {
      ends += 1;
    },
  });
  stage.actor.sleep();
  stage.actor.sleep();
  expect(ends).toBe(1);
});

describe('an actor that is loaded ahead of time', () => {
  test('shows nothing of it, and loads only the rest when it wakes', async () => {
    const stage = await selling();
    stage.actor.sleep();
    await stage.actor.preload();
    expect([stage.actor.state, stage.actor.fingerprint]).toEqual([undefined, undefined]);
    stage.store.calls.length = 0;
    const answer = stage.submit(holdIntent('bob', ['A1']));
    await stage.clock.settle();
    expect([answer.said, stage.store.calls]).toEqual(['seats-taken', ['tail']]);
  });

  test('loads everything when the rest can’t be had', async () => {
    const stage = await selling();
    stage.actor.sleep();
    await stage.actor.preload();
    stage.store.failLoads = 1;
    stage.actor.wake();
    await stage.clock.settle();
    stage.store.calls.length = 0;
    await stage.clock.advance(200);
    expect([stage.store.calls, stage.actor.state?.seq]).toEqual([['load'], 1]);
  });

  test('forgets it when it sleeps', async () => {
    const stage = await selling();
    stage.actor.sleep();
    await stage.actor.preload();
    stage.actor.sleep();
    stage.store.calls.length = 0;
    stage.actor.wake();
    await stage.clock.settle();
    expect(stage.store.calls).toEqual(['load']);
  });

  test('and is awake needs nothing', async () => {
    const stage = await selling();
    await stage.actor.preload();
    expect(stage.store.calls).toEqual([]);
  });
});
