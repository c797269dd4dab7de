import { describe, expect, test } from 'vitest';
import type { ShardId } from '../../../src/actors/allocator/ids.ts';
import { instanceIdOf, MembershipStage, type StagedNode, timing } from './membership-stage.ts';

const judgeAfterMs = timing.leaseMs + 2 * timing.beatEveryMs;

/** Two nodes that have been up for so long that they may judge. */
async function settled(): Promise<{ stage: MembershipStage; a: StagedNode; b: StagedNode }> {
  const stage = new MembershipStage();
  const [a, b] = [await stage.join('a'), await stage.join('b')];
  await stage.pass(10_000);
  return { stage, a, b };
}

describe('a node beats', () => {
  test('at once and every half second, with what it has to say by then', async () => {
    const stage = new MembershipStage();
    const a = await stage.join('a');
    expect(a.sees).toEqual(['a']);
    await stage.pass(499);
    expect(a.way.beats).toHaveLength(1);
    a.record = { ...a.record, version: '2' };
    await stage.pass(1);
    expect(a.way.beats.map(({ record, leaseMs }) => [record.version, leaseMs])).toEqual([
      ['1', 3_000],
      ['2', 3_000],
    ]);
    await stage.pass(5_000);
    expect(a.way.beats).toHaveLength(12);
  });

  test('one at a time, however long an answer takes, and in its rhythm again', async () => {
    const { stage, a } = await settled();
    a.way.hold('back');
    await stage.pass(2_000);
    const beats = a.way.beats.length;
    a.way.release();
    await stage.pass(0);
    expect(a.way.beats).toHaveLength(beats + 1);
    await stage.pass(1_000);
    expect(a.way.beats).toHaveLength(beats + 3);
  });

  test('again half a second after one that failed', async () => {
    const { stage, a } = await settled();
    const beats = a.way.beats.length;
    stage.cut(true);
    await stage.pass(1_500);
    expect(a.way.beats).toHaveLength(beats + 3);
    stage.cut(false);
    await stage.pass(500);
    expect(a.membership.isRegistryUp).toBe(true);
  });

  test('no more when it has left, and is gone then', async () => {
    const { stage, a, b } = await settled();
    await a.membership.leave();
    const beats = a.way.beats.length;
    await stage.pass(1_000);
    expect(a.way.beats).toHaveLength(beats);
    expect(b.sees).toEqual(['b']);
  });

  test('its last before it leaves, so that none brings it back', async () => {
    const { stage, a, b } = await settled();
    a.way.hold('there');
    await stage.pass(500);
    const leaving = a.membership.leave();
    await stage.pass(100);
    a.way.release();
    await leaving;
    await stage.pass(1_000);
    expect(b.sees).toEqual(['b']);
  });

  test('and leaves without a word where nobody can be told', async () => {
    const { stage, a } = await settled();
    stage.cut(true);
    await expect(a.membership.leave()).resolves.toBeUndefined();
  });
});

describe('a node sees', () => {
  test('who lives', async () => {
    const { a, b } = await settled();
    expect([a.sees, b.sees]).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ]);
    expect(a.membership.upInstanceOf('b')?.instanceId).toBe(b.instanceId);
    expect(a.membership.upInstanceOf('c')).toBeUndefined();
    expect(a.membership.isLive(instanceIdOf('c'))).toBe(false);
  });

  test('the latest run of a node, and none that drains', async () => {
    const { stage, a, b } = await settled();
    await stage.join('b', 3);
    await stage.join('b', 2);
    await stage.pass(500);
    expect(a.membership.upInstanceOf('b')?.instanceId).toBe(instanceIdOf('b', 3));
    b.record = { ...b.record, state: 'draining' };
    for (const node of stage.nodes) node.record = { ...node.record, state: 'draining' };
    await stage.pass(1_000);
    expect(a.membership.upInstanceOf('b')).toBeUndefined();
    expect(a.membership.isLive(b.instanceId)).toBe(true);
  });

  test('whether somebody has joined of late', async () => {
    const { stage, a } = await settled();
    expect(a.membership.joinedWithin(2_000)).toBe(false);
    await stage.join('c');
    await stage.pass(500);
    expect(a.membership.joinedWithin(2_000)).toBe(true);
    await stage.pass(1_999);
    expect(a.membership.joinedWithin(2_000)).toBe(true);
    await stage.pass(1);
    expect(a.membership.joinedWithin(2_000)).toBe(false);
  });

  test('nobody before its first answer, and takes that for a cluster in which everybody joins', async () => {
    const stage = new MembershipStage();
    await stage.join('a');
    const b = stage.add('b');
    b.way.isCut = true;
    await b.membership.start();
    await stage.pass(60_000);
    expect([b.sees, b.membership.isRegistryUp, b.membership.joinedWithin(2_000)]).toEqual([[], false, true]);
    expect(b.membership.mayJudge(stage.clock.monotonicMs())).toBe(false);
  });

  test('what was last known while the registry is down', async () => {
    const { stage, a } = await settled();
    stage.cut(true);
    await stage.pass(60_000);
    expect([a.sees, a.membership.isRegistryUp, a.membership.isLive(instanceIdOf('b'))]).toEqual([
      ['a', 'b'],
      false,
      true,
    ]);
  });
});

describe('a node is told of changes', () => {
  test('and of nothing else', async () => {
    const { stage, a, b } = await settled();
    const told = async (change: () => unknown, ms = 500): Promise<number> => {
      const before = a.changes;
      await change();
      await stage.pass(ms);
      return a.changes - before;
    };
    expect(await told(() => {}, 5_000)).toBe(0);
    const shards = [{ shardId: 1 as ShardId, epoch: 1, requestsPerSecond: 5 }];
    b.record = { ...b.record, shards };
    expect(await told(() => {}, 5_000)).toBe(0);
    const advertised = { shardId: 1 as ShardId, epoch: 1, owner: b.instanceId };
    expect(await told(() => b.way.advertise([advertised]))).toBe(1);
    expect(await told(() => stage.join('c'))).toBe(1);
    b.record = { ...b.record, state: 'draining' };
    expect(await told(() => {}, 1_000)).toBe(1);
    expect(await told(() => stage.cut(true), 5_000)).toBe(1);
    expect(await told(() => stage.cut(false))).toBeGreaterThanOrEqual(1);
  });

  test('and of a death, also where the registry has said before that nobody is there', async () => {
    const { stage, a, b } = await settled();
    b.way.isCut = true;
    stage.registryLeadMs = 3_600_000;
    await stage.pass(500);
    const changes = a.changes;
    await stage.pass(timing.leaseMs);
    expect([a.changes - changes, a.membership.isLive(b.instanceId)]).toEqual([1, false]);
  });

  test('until it wants to hear no more', async () => {
    const { stage, a } = await settled();
    let heard = 0;
    const end = a.membership.onChange(() => {
      heard += 1;
    });
    stage.cut(true);
    await stage.pass(500);
    end();
    stage.cut(false);
    await stage.pass(500);
    expect(heard).toBe(1);
  });
});

describe('a node is judged', () => {
  test('dead when its lease has ended, and no later than a beat after', async () => {
    const { stage, a, b } = await settled();
    b.way.isCut = true;
    await stage.pass(timing.leaseMs - timing.beatEveryMs);
    expect(stage.deadFor(a)).toEqual([]);
    await stage.pass(2 * timing.beatEveryMs);
    expect(stage.deadFor(a)).toEqual([b.instanceId]);
  });

  test('by nobody that has not watched for a lease and two beats', async () => {
    const stage = new MembershipStage();
    const a = await stage.join('a');
    const startedAtMs = stage.clock.monotonicMs();
    await stage.pass(judgeAfterMs - 1);
    expect(a.membership.mayJudge(stage.clock.monotonicMs())).toBe(false);
    await stage.pass(1);
    expect(stage.clock.monotonicMs() - startedAtMs).toBe(judgeAfterMs);
    expect(a.membership.mayJudge(stage.clock.monotonicMs())).toBe(true);
  });

  test('by nobody while the registry is down, nor soon after', async () => {
    const { stage, a } = await settled();
    stage.cut(true);
    await stage.pass(timing.leaseMs);
    expect(a.membership.mayJudge(stage.clock.monotonicMs())).toBe(false);
    stage.cut(false);
    await stage.pass(500);
    const backAtMs = stage.clock.monotonicMs();
    expect(a.membership.mayJudge(backAtMs + 499)).toBe(false);
    await stage.pass(judgeAfterMs - 500);
    expect(a.membership.mayJudge(stage.clock.monotonicMs())).toBe(false);
    await stage.pass(500);
    expect(a.membership.mayJudge(stage.clock.monotonicMs())).toBe(true);
  });

  test('as before when one beat was lost, which lets nobody’s lease end', async () => {
    const { stage, a } = await settled();
    stage.cut(true);
    await stage.pass(500);
    expect(a.membership.mayJudge(stage.clock.monotonicMs())).toBe(false);
    stage.cut(false);
    await stage.pass(500);
    expect(a.membership.mayJudge(stage.clock.monotonicMs())).toBe(true);
  });

  test('by nobody that was frozen meanwhile', async () => {
    const { stage, a } = await settled();
    expect(a.membership.mayJudge(stage.clock.monotonicMs() + 30_000)).toBe(false);
  });

  test('by nobody for a lease and two beats after the registry has lost its memory', async () => {
    const { stage, a } = await settled();
    stage.data.loseNodes();
    await stage.pass(500);
    for (let passedMs = 500; passedMs < judgeAfterMs; passedMs += 500) {
      expect(a.membership.mayJudge(stage.clock.monotonicMs())).toBe(false);
      await stage.pass(500);
    }
    await stage.pass(500);
    expect(a.membership.mayJudge(stage.clock.monotonicMs())).toBe(true);
  });

  test('alive for a lease after its last beat, whatever the registry’s clock does', async () => {
    const { stage, a, b } = await settled();
    b.way.isCut = true;
    stage.registryLeadMs = 3_600_000;
    await stage.pass(500);
    expect([a.sees, a.membership.isLive(b.instanceId)]).toEqual([['a'], true]);
    await stage.pass(timing.leaseMs);
    expect(a.membership.isLive(b.instanceId)).toBe(false);
  });

  test('alive all the time by all others when Redis is gone for a minute and comes back empty', async () => {
    const stage = new MembershipStage();
    for (const nodeId of ['a', 'b', 'c']) {
      await stage.join(nodeId);
      await stage.pass(150);
    }
    await stage.pass(10_000);
    const isJudged = () => stage.nodes.some((node) => stage.deadFor(node).length > 0);
    stage.cut(true);
    await stage.pass(60_000);
    stage.data.loseEverything();
    // One after the other gets through again, the last one late.
    for (const { way } of stage.nodes) {
      way.isCut = false;
      for (let step = 0; step < 35; step++) {
        await stage.pass(50);
        expect(isJudged()).toBe(false);
      }
    }
    for (let step = 0; step < 200; step++) {
      await stage.pass(50);
      expect(isJudged()).toBe(false);
    }
    expect(stage.nodes.map((node) => node.sees.join(''))).toEqual(['abc', 'abc', 'abc']);
    stage.nodes[2]!.way.isCut = true;
    await stage.pass(timing.leaseMs + timing.beatEveryMs);
    expect(stage.deadFor(stage.nodes[0]!)).toEqual([instanceIdOf('c')]);
  });
});

describe('the coordinator', () => {
  test('is one node, and another one when it drains', async () => {
    const { stage, a, b } = await settled();
    expect([a.membership.isCoordinator, b.membership.isCoordinator]).toEqual([true, false]);
    expect(b.membership.coordinatorId).toBe(a.instanceId);
    a.record = { ...a.record, state: 'draining' };
    await stage.pass(1_000);
    expect([a.membership.isCoordinator, b.membership.isCoordinator]).toEqual([false, true]);
  });

  test('is none any more when its lease may have ended, from when its beat was sent', async () => {
    const { stage, a } = await settled();
    a.way.hold('back');
    await stage.pass(500);
    const sentAtMs = stage.clock.monotonicMs();
    expect(a.way.beats).toHaveLength(sentAtMs / 500 + 1);
    await stage.pass(1_200);
    a.way.isCut = true;
    a.way.release();
    await stage.pass(sentAtMs + timing.leaseMs - 1 - stage.clock.monotonicMs());
    expect(a.membership.isCoordinator).toBe(true);
    await stage.pass(1);
    expect(a.membership.isCoordinator).toBe(false);
  });

  test('is no two nodes at a time, whichever of them is cut off', async () => {
    const { stage, a, b } = await settled();
    for (const node of [a, b, a]) {
      node.way.isCut = true;
      for (let step = 0; step < 100; step++) {
        await stage.pass(50);
        expect(a.membership.isCoordinator && b.membership.isCoordinator).toBe(false);
      }
      expect(node.membership.isCoordinator).toBe(false);
      node.way.isCut = false;
      await stage.pass(1_000);
    }
  });

  test('is it no more when it has left', async () => {
    const { a } = await settled();
    await a.membership.leave();
    expect(a.membership.isCoordinator).toBe(false);
  });
});
