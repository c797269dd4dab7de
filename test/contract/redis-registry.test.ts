import { setTimeout as delay } from 'node:timers/promises';
import { Redis as Client } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RedisRegistry } from '../../src/cluster/redis/redis-registry.ts';
import { RegistryUnavailable } from '../../src/cluster/registry.ts';
import { sharedRedisUrl } from '../servers/shared-servers.ts';
import { RedisStage, until } from '../unit/redis/redis-stage.ts';
import { instanceIdOf, nodeRecord, registryContract, shardRecord } from './registry-contract.ts';

const patient = { commandLimitMs: 10_000 };

let installations = 0;
let stage: RedisStage;
let client: Client;
beforeAll(async () => {
  stage = await RedisStage.connected(sharedRedisUrl(), patient);
  client = new Client(sharedRedisUrl());
});
afterAll(async () => {
  client.disconnect();
  await stage.redis.close();
});

/** One cluster's part of the shared Redis. */
class Part {
  readonly installationId = `contract${process.pid}-${++installations}`;
  readonly nodesKey = `usher:cluster:{${this.installationId}}:nodes`;
  readonly shardsKey = `usher:cluster:{${this.installationId}}:shards`;

  open(): RedisRegistry {
    return new RedisRegistry(stage.redis, this.installationId);
  }

  keys(): Promise<string[]> {
    return client.keys(`usher:cluster:{${this.installationId}}*`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await client.del(this.nodesKey, this.shardsKey);
  }
}

registryContract('the registry in Redis', () => {
  const part = new Part();
  const lose = async (...keys: readonly string[]) => void (await client.del(...keys));
  return {
    open: async () => part.open(),
    pass: (ms) => delay(ms),
    loseEverything: () => lose(part.nodesKey, part.shardsKey),
    loseNodes: () => lose(part.nodesKey),
    loseShards: () => lose(part.shardsKey),
    dispose: () => part[Symbol.asyncDispose](),
  };
});

const beatOf = (name: string, leaseMs = 60_000) => ({
  record: nodeRecord(name),
  leaseMs,
  wantsToCoordinate: true,
});

describe('the registry in Redis keeps', () => {
  test('two keys, in one slot of a Redis Cluster, that end a day after the last beat', async () => {
    await using part = new Part();
    const registry = part.open();
    await registry.advertise([shardRecord(1, 1, 'a')]);
    await registry.beat(beatOf('a'));
    expect((await part.keys()).sort()).toEqual([part.nodesKey, part.shardsKey]);
    for (const key of await part.keys()) {
      await client.pexpire(key, 1_000);
      await registry.beat(beatOf('a'));
      expect(await client.pttl(key)).toBeGreaterThan(23 * 60 * 60 * 1_000);
    }
  });

  test('nothing of a node whose lease has ended', async () => {
    await using part = new Part();
    const registry = part.open();
    await registry.beat(beatOf('a', 5));
    await delay(10);
    await registry.beat(beatOf('b'));
    expect((await client.hkeys(part.nodesKey)).sort()).toEqual([
      instanceIdOf('b'),
      'coordinator',
      'generation',
    ]);
  });

  test('one installation apart from another', async () => {
    await using part = new Part();
    await using other = new Part();
    await part.open().beat(beatOf('a'));
    expect((await other.open().beat(beatOf('b'))).nodes).toHaveLength(1);
  });
});

describe('the registry in Redis leaves out', () => {
  test('nodes that are none', async () => {
    await using part = new Part();
    const registry = part.open();
    await registry.beat(beatOf('a'));
    const farMs = 9_999_999_999_999;
    const text = (value: unknown) =>
      `1 ${farMs} ${typeof value === 'string' ? value : JSON.stringify(value)}`;
    const record = nodeRecord('x');
    const junk: Readonly<Record<string, string>> = {
      'not a record': 'junk',
      [instanceIdOf('b')]: '',
      [instanceIdOf('c')]: text('{"instanceId":'),
      [instanceIdOf('d')]: text([1, 2]),
      [instanceIdOf('e')]: text({ ...record, instanceId: instanceIdOf('f') }),
      [instanceIdOf('g')]: text({ ...record, instanceId: instanceIdOf('g'), version: 1 }),
      [instanceIdOf('h')]: text({ ...record, instanceId: instanceIdOf('h'), startedAtMs: 'now' }),
      'no instance id': text({ ...record, instanceId: 'no instance id' }),
    };
    await client.hset(part.nodesKey, junk);
    const { nodes, coordinatorId } = await registry.beat(beatOf('a'));
    expect(nodes.map(({ instanceId }) => instanceId)).toEqual([instanceIdOf('a')]);
    expect(coordinatorId).toBe(instanceIdOf('a'));
  });

  test('what a node of another version says that is not known here, and not the node', async () => {
    await using part = new Part();
    const registry = part.open();
    const { instanceId, version, url, startedAtMs } = nodeRecord('next');
    const shards = [{ shardId: 3, epoch: 2, requestsPerSecond: 1, colour: 'red' }];
    const moves = [{ moveId: 1, shardId: 3, toInstanceId: 'b', phase: 'dreaming', startedAtMs: 1 }];
    const said = { instanceId, version, url, startedAtMs, state: 'joining', shards, moves, zone: 'eu-1' };
    const { nowMs } = { nowMs: Number((await client.time())[0]) * 1_000 };
    await client.hset(part.nodesKey, instanceId, `${nowMs} ${nowMs + 60_000} ${JSON.stringify(said)}`);
    const { nodes } = await registry.look();
    expect(nodes).toEqual([
      {
        ...{ instanceId, version, url, startedAtMs, state: 'draining', moves: [] },
        shards: [{ shardId: 3, epoch: 2, requestsPerSecond: 1 }],
        heartbeatAgeMs: expect.any(Number),
      },
    ]);
  });

  test('shards that are none', async () => {
    await using part = new Part();
    const registry = part.open();
    await registry.advertise([shardRecord(1, 1, 'a')]);
    const owner = instanceIdOf('b');
    const junk = {
      x: `1 ${owner}`,
      '-1': `1 ${owner}`,
      '01': `1 ${owner}`,
      2: 'junk',
      3: '4 nobody',
      4: owner,
    };
    await client.hset(part.shardsKey, junk);
    expect(await registry.readShards()).toEqual([shardRecord(1, 1, 'a')]);
    await registry.advertise([shardRecord(2, 1, 'a'), shardRecord(4, 1, 'a')]);
    expect(await registry.readShards()).toEqual([1, 2, 4].map((shard) => shardRecord(shard, 1, 'a')));
  });

  test('a node that beat before Redis’ clock was set back', async () => {
    await using part = new Part();
    const registry = part.open();
    const record = nodeRecord('future');
    const laterMs = Date.now() + 3_600_000;
    await client.hset(
      part.nodesKey,
      record.instanceId,
      `${laterMs} ${laterMs + 3_000} ${JSON.stringify(record)}`,
    );
    expect((await registry.beat(beatOf('a'))).nodes).toHaveLength(1);
    expect(await client.hexists(part.nodesKey, record.instanceId)).toBe(0);
  });
});

describe('the registry in Redis is unavailable', () => {
  test('where Redis refuses', async () => {
    await using part = new Part();
    const registry = part.open();
    await client.set(part.nodesKey, 'a text');
    await client.set(part.shardsKey, 'a text');
    const calls = [
      registry.beat(beatOf('a')),
      registry.look(),
      registry.leave(instanceIdOf('a')),
      registry.advertise([shardRecord(1, 1, 'a')]),
      registry.readShards(),
    ];
    for (const call of calls) await expect(call).rejects.toThrow(RegistryUnavailable);
    await expect(registry.look()).rejects.toThrow(/Redis refuses: WRONGTYPE/);
  });

  test('where there is no Redis', async () => {
    await using closed = await RedisStage.connected(sharedRedisUrl(), patient);
    await closed.redis.close();
    await until(() => !closed.redis.isUsable);
    const registry = new RedisRegistry(closed.redis, 'nobody');
    await expect(registry.beat(beatOf('a'))).rejects.toThrow(RegistryUnavailable);
    await expect(registry.readShards()).rejects.toThrow('Redis can’t be used now');
  });
});
