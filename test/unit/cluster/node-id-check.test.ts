import { describe, expect, test } from 'vitest';
import { MemoryRegistry } from '../../../src/cluster/memory/memory-registry.ts';
import { checkNodeIdFree } from '../../../src/cluster/node-id-check.ts';
import { RegistryUnavailable } from '../../../src/cluster/registry.ts';
import { instanceIdOf, MembershipStage, recordOf, timing } from './membership-stage.ts';

/** What a check by a new run of the node says, and after how long; at most 10 s. */
async function checked(
  stage: MembershipStage,
  look = new MemoryRegistry(stage.data).look,
): Promise<{ said: unknown; tookMs: number }> {
  const registry = new MemoryRegistry(stage.data);
  registry.look = () => look.call(registry);
  const beganAtMs = stage.clock.monotonicMs();
  let told: { said: unknown; tookMs: number } | undefined;
  const tell = (said: unknown) => {
    told = { said, tookMs: stage.clock.monotonicMs() - beganAtMs };
  };
  const { clock } = stage;
  checkNodeIdFree({ registry, clock, timing, instanceId: instanceIdOf('a', 2) }).then(tell, (error: Error) =>
    tell(error.message),
  );
  for (let step = 0; step < 100 && told === undefined; step++) await stage.pass(100);
  return told ?? { said: 'nothing', tookMs: 10_000 };
}

describe('a NODE_ID', () => {
  test('is free at once where nobody goes by it', async () => {
    const stage = new MembershipStage();
    await stage.join('b');
    await stage.join('aa');
    expect(await checked(stage)).toEqual({ said: true, tookMs: 0 });
  });

  test('is free when the lease of a run that was killed has ended', async () => {
    const stage = new MembershipStage();
    const killed = await stage.join('a');
    await stage.pass(1_250);
    killed.way.isCut = true;
    const { said, tookMs } = await checked(stage);
    expect(said).toBe(true);
    expect(tookMs).toBeGreaterThan(2_500);
    expect(tookMs).toBeLessThanOrEqual(3_000);
  });

  test('is refused where another one beats, in whatever rhythm', async () => {
    for (const offsetMs of [0, 1, 250, 499]) {
      const stage = new MembershipStage();
      await stage.join('a');
      await stage.pass(2_000 + offsetMs);
      const { said, tookMs } = await checked(stage);
      expect(said).toBe(
        `NODE_ID a is in use by ${instanceIdOf('a')} (http://somewhere:8080): give each node a name of its own`,
      );
      expect(tookMs).toBeLessThanOrEqual(1_000);
    }
  });

  test('is looked for without being taken', async () => {
    const stage = new MembershipStage();
    await stage.join('a');
    await checked(stage);
    expect([...stage.data.nodes.keys()]).toEqual([instanceIdOf('a')]);
  });

  test('is not known to be free where the registry does not answer, and nobody waits for ever', async () => {
    const stage = new MembershipStage();
    const { said, tookMs } = await checked(stage, async () => {
      throw new RegistryUnavailable('away');
    });
    expect([said, tookMs]).toEqual([false, timing.leaseMs + 2 * timing.beatEveryMs]);
  });

  test('is looked at again where the registry answers only later', async () => {
    const stage = new MembershipStage();
    let looks = 0;
    const { said, tookMs } = await checked(stage, async () => {
      looks += 1;
      if (looks < 3) throw new RegistryUnavailable('connecting');
      return { nodes: [], coordinatorId: undefined, shardsVersion: '', generation: '' };
    });
    expect([said, tookMs]).toEqual([true, 1_000]);
  });

  test('is not known to be free where the lease of a dead one is longer than ours', async () => {
    const stage = new MembershipStage();
    const record = recordOf(instanceIdOf('a'));
    await new MemoryRegistry(stage.data).beat({ record, leaseMs: 60_000, wantsToCoordinate: false });
    expect(await checked(stage)).toEqual({ said: false, tookMs: timing.leaseMs + 2 * timing.beatEveryMs });
  });
});
