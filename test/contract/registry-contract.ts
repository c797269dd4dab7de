import { describe, expect, test } from 'vitest';
import type { ShardId } from '../../src/actors/allocator/ids.ts';
import type { ShardRecord } from '../../src/actors/runtime/ports.ts';
import type { NodeRecord, Registry, RegistryView } from '../../src/cluster/registry.ts';

/** One registry, at which several nodes beat. */
export interface RegistryHarness {
  /** The adapter of one more node. */
  open(): Promise<Registry>;
  /** Lets time pass for the registry. */
  pass(ms: number): Promise<void>;
  loseEverything(): Promise<void>;
  loseNodes(): Promise<void>;
  loseShards(): Promise<void>;
  dispose(): Promise<void>;
}

/** Longer than any test takes, and over at once. */
const longMs = 60_000;
const shortMs = 40;

export function nodeRecord(name: string, changes: Partial<NodeRecord> = {}): NodeRecord {
  return {
    instanceId: instanceIdOf(name),
    version: '1.2.3',
    url: `http://${name}.example:8080`,
    state: 'up',
    startedAtMs: 1_000,
    shards: [{ shardId: 7 as ShardId, epoch: 3, requestsPerSecond: 12.5 }],
    moves: [
      { moveId: 1, shardId: 7 as ShardId, toInstanceId: 'b/1@b:1', phase: 'sealed', startedAtMs: 2_000 },
    ],
    ...changes,
  };
}

export const instanceIdOf = (name: string): string => `${name}/run-1@${name}.example:8082`;

export const shardRecord = (shard: number, epoch: number, name: string): ShardRecord => ({
  shardId: shard as ShardId,
  epoch,
  owner: instanceIdOf(name),
});

interface BeatOptions {
  readonly leaseMs?: number;
  readonly wantsToCoordinate?: boolean;
}

const beat = (registry: Registry, name: string, options: BeatOptions = {}): Promise<RegistryView> =>
  registry.beat({ record: nodeRecord(name), leaseMs: longMs, wantsToCoordinate: false, ...options });

const namesIn = ({ nodes }: RegistryView): readonly string[] =>
  nodes.map(({ instanceId }) => instanceId.split('/')[0] ?? '');

/** Every sentence of the Registry port, for every registry. `makeHarness` gives each test a registry of its own. */
export function registryContract(name: string, makeHarness: () => RegistryHarness): void {
  const withRegistry = (
    title: string,
    run: (a: Registry, b: Registry, harness: RegistryHarness) => Promise<void>,
  ): void =>
    test(title, async () => {
      const harness = makeHarness();
      try {
        await run(await harness.open(), await harness.open(), harness);
      } finally {
        await harness.dispose();
      }
    });

  describe(`${name}: nodes`, () => {
    withRegistry('see each other and themselves, as they say they are', async (a, b) => {
      expect(namesIn(await beat(a, 'a'))).toEqual(['a']);
      const { nodes } = await beat(b, 'b');
      const withoutAge = nodes.map(({ heartbeatAgeMs, ...record }) => record);
      expect(withoutAge).toEqual([nodeRecord('a'), nodeRecord('b')]);
      for (const { heartbeatAgeMs } of nodes) expect(heartbeatAgeMs).toBeGreaterThanOrEqual(0);
      expect(nodes[1]?.heartbeatAgeMs).toBeLessThan(1_000);
    });

    withRegistry('say something new with each beat', async (a, b) => {
      await beat(a, 'a');
      const record = nodeRecord('a', { state: 'draining', shards: [], moves: [] });
      await a.beat({ record, leaseMs: longMs, wantsToCoordinate: false });
      expect((await b.look()).nodes).toEqual([{ ...record, heartbeatAgeMs: expect.any(Number) }]);
    });

    withRegistry('age between their beats', async (a, b, harness) => {
      await beat(a, 'a');
      await harness.pass(60);
      const [before] = (await b.look()).nodes;
      await harness.pass(30);
      const [after] = (await b.look()).nodes;
      expect(before?.heartbeatAgeMs).toBeGreaterThanOrEqual(58);
      expect(after?.heartbeatAgeMs).toBeGreaterThanOrEqual((before?.heartbeatAgeMs ?? 0) + 28);
      await beat(a, 'a');
      const [anew] = (await b.look()).nodes;
      expect(anew?.heartbeatAgeMs).toBeLessThan(after?.heartbeatAgeMs ?? 0);
    });

    withRegistry(
      'are gone when their lease has ended, and back with the next beat',
      async (a, b, harness) => {
        await beat(a, 'a', { leaseMs: shortMs });
        await beat(b, 'b');
        await harness.pass(shortMs + 5);
        expect(namesIn(await b.look())).toEqual(['b']);
        expect(namesIn(await beat(b, 'b'))).toEqual(['b']);
        expect(namesIn(await beat(a, 'a'))).toEqual(['a', 'b']);
      },
    );

    withRegistry('live as long as their last beat says', async (a, b, harness) => {
      await beat(a, 'a', { leaseMs: shortMs });
      await beat(a, 'a');
      await harness.pass(shortMs + 5);
      expect(namesIn(await beat(b, 'b'))).toEqual(['a', 'b']);
    });

    withRegistry('are gone when they leave, alone', async (a, b) => {
      await beat(a, 'a');
      await beat(b, 'b');
      await a.leave(instanceIdOf('a'));
      await a.leave(instanceIdOf('nobody'));
      expect(namesIn(await b.look())).toEqual(['b']);
    });

    withRegistry('are looked at without being seen', async (a, b) => {
      expect(await a.look()).toEqual({
        nodes: [],
        coordinatorId: undefined,
        shardsVersion: '',
        generation: '',
      });
      expect(namesIn(await beat(b, 'b'))).toEqual(['b']);
      const view = await a.look();
      expect(view.generation).not.toBe('');
      expect(namesIn(view)).toEqual(['b']);
    });
  });

  describe(`${name}: the coordinator`, () => {
    const wantsToCoordinate = true;

    withRegistry('is the first that wants to be, for as long as it does', async (a, b) => {
      expect((await beat(a, 'a')).coordinatorId).toBeUndefined();
      expect((await beat(a, 'a', { wantsToCoordinate })).coordinatorId).toBe(instanceIdOf('a'));
      expect((await beat(b, 'b', { wantsToCoordinate })).coordinatorId).toBe(instanceIdOf('a'));
      expect((await beat(a, 'a', { wantsToCoordinate })).coordinatorId).toBe(instanceIdOf('a'));
      expect((await beat(a, 'a')).coordinatorId).toBeUndefined();
      expect((await beat(b, 'b', { wantsToCoordinate })).coordinatorId).toBe(instanceIdOf('b'));
      expect((await a.look()).coordinatorId).toBe(instanceIdOf('b'));
    });

    withRegistry('is not deposed by one that does not want to be', async (a, b) => {
      await beat(a, 'a', { wantsToCoordinate });
      expect((await beat(b, 'b')).coordinatorId).toBe(instanceIdOf('a'));
    });

    withRegistry('is another one when its lease has ended', async (a, b, harness) => {
      await beat(a, 'a', { wantsToCoordinate, leaseMs: shortMs });
      await harness.pass(shortMs + 5);
      expect((await b.look()).coordinatorId).toBeUndefined();
      expect((await beat(b, 'b', { wantsToCoordinate })).coordinatorId).toBe(instanceIdOf('b'));
      expect((await beat(a, 'a', { wantsToCoordinate })).coordinatorId).toBe(instanceIdOf('b'));
    });

    withRegistry('stays the one that renews its lease', async (a, b, harness) => {
      await beat(a, 'a', { wantsToCoordinate, leaseMs: shortMs });
      await beat(a, 'a', { wantsToCoordinate });
      await harness.pass(shortMs + 5);
      expect((await beat(b, 'b', { wantsToCoordinate })).coordinatorId).toBe(instanceIdOf('a'));
    });

    withRegistry('is another one when it has left', async (a, b) => {
      await beat(a, 'a', { wantsToCoordinate });
      await a.leave(instanceIdOf('a'));
      expect((await beat(b, 'b', { wantsToCoordinate })).coordinatorId).toBe(instanceIdOf('b'));
    });
  });

  describe(`${name}: shards`, () => {
    withRegistry('are read as they were advertised, by any node', async (a, b) => {
      expect(await b.readShards()).toEqual([]);
      await a.advertise([shardRecord(10, 1, 'a'), shardRecord(9, 4, 'b')]);
      await b.advertise([shardRecord(0, 2, 'b')]);
      const shards = [shardRecord(0, 2, 'b'), shardRecord(9, 4, 'b'), shardRecord(10, 1, 'a')];
      expect([await a.readShards(), await b.readShards()]).toEqual([shards, shards]);
    });

    withRegistry('are whose epoch is the highest, each for itself', async (a, b) => {
      await a.advertise([shardRecord(1, 9, 'a'), shardRecord(2, 9, 'a')]);
      await b.advertise([shardRecord(1, 10, 'b'), shardRecord(2, 8, 'b')]);
      expect(await a.readShards()).toEqual([shardRecord(1, 10, 'b'), shardRecord(2, 9, 'a')]);
    });

    withRegistry('stay with the first owner of an epoch', async (a, b) => {
      await a.advertise([shardRecord(1, 5, 'a')]);
      await b.advertise([shardRecord(1, 5, 'b')]);
      expect(await b.readShards()).toEqual([shardRecord(1, 5, 'a')]);
    });

    withRegistry('change their version when something changes, and only then', async (a, b) => {
      const versions = [(await beat(a, 'a')).shardsVersion];
      const advertise = async (...shards: readonly ShardRecord[]) => {
        await b.advertise(shards);
        versions.push((await a.look()).shardsVersion);
      };
      await advertise(shardRecord(1, 2, 'b'));
      await advertise(shardRecord(1, 2, 'b'), shardRecord(2, 1, 'b'));
      await advertise(shardRecord(1, 3, 'a'));
      expect(new Set(versions).size).toBe(4);
      expect(versions[0]).toBe('');
      await advertise(shardRecord(1, 2, 'b'));
      await advertise(shardRecord(1, 3, 'b'));
      await advertise();
      expect(new Set(versions.slice(3)).size).toBe(1);
      expect((await beat(a, 'a')).shardsVersion).toBe(versions[3]);
    });
  });

  describe(`${name}: lost memory`, () => {
    withRegistry('is another generation, and the same one is kept until then', async (a, b, harness) => {
      const { generation } = await beat(a, 'a');
      expect([(await beat(b, 'b')).generation, (await b.look()).generation]).toEqual([
        generation,
        generation,
      ]);
      await harness.loseEverything();
      const after = await beat(b, 'b');
      expect(namesIn(after)).toEqual(['b']);
      expect(after.generation).not.toBe(generation);
      expect((await beat(a, 'a')).generation).toBe(after.generation);
    });

    withRegistry('of the nodes alone is another generation, without a coordinator', async (a, b, harness) => {
      await a.advertise([shardRecord(1, 2, 'a')]);
      const before = await beat(a, 'a', { wantsToCoordinate: true });
      await harness.loseNodes();
      const after = await beat(b, 'b');
      expect(after.generation).not.toBe(before.generation);
      expect(after.coordinatorId).toBeUndefined();
      expect(after.shardsVersion).toBe(before.shardsVersion);
    });

    withRegistry('of the shards alone is another version, and a new one again', async (a, b, harness) => {
      await a.advertise([shardRecord(1, 2, 'a'), shardRecord(2, 2, 'a')]);
      const before = await beat(a, 'a');
      await harness.loseShards();
      const after = await beat(b, 'b');
      expect([after.generation, after.shardsVersion]).toEqual([before.generation, '']);
      expect(await b.readShards()).toEqual([]);
      await b.advertise([shardRecord(2, 1, 'b')]);
      expect(await a.readShards()).toEqual([shardRecord(2, 1, 'b')]);
      expect(['', before.shardsVersion]).not.toContain((await beat(a, 'a')).shardsVersion);
    });
  });
}
