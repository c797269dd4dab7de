import { describe, expect, test } from 'vitest';
import { RedisRegistry } from '../../../../src/cluster/redis/redis-registry.ts';
import { RegistryUnavailable } from '../../../../src/cluster/registry.ts';
import type { Redis, RedisCommand, RedisReply } from '../../../../src/redis/redis.ts';
import { instanceIdOf, recordOf } from '../membership-stage.ts';

/** Answers everything with the same. test/contract shows what a real one answers. */
class ParrotRedis implements Redis {
  readonly isUsable = true;
  readonly commands: RedisCommand[] = [];
  readonly #reply: RedisReply;

  constructor(reply: RedisReply) {
    this.#reply = reply;
  }

  async run(commands: readonly RedisCommand[]): Promise<readonly RedisReply[]> {
    this.commands.push(...commands);
    return commands.map(() => this.#reply);
  }
}

const a = instanceIdOf('a');

describe('an answer of Redis', () => {
  test.each([[null], ['OK'], [7], [[]], [['generation']], [['1', '', ['2']]], [['1', '', null]]])(
    'that is %j is as no answer to a beat',
    async (reply) => {
      const registry = new RedisRegistry(new ParrotRedis(reply), 'one');
      const beat = { record: recordOf(a), leaseMs: 1, wantsToCoordinate: true };
      await expect(registry.beat(beat)).rejects.toThrow(RegistryUnavailable);
    },
  );

  test('that ends in the middle of a node is one without that node', async () => {
    const text = JSON.stringify(recordOf(a));
    const registry = new RedisRegistry(
      new ParrotRedis(['g', '', 'v', a, 5, text, instanceIdOf('b'), 5]),
      'one',
    );
    const { nodes, coordinatorId, generation, shardsVersion } = await registry.look();
    expect(nodes).toEqual([{ ...recordOf(a), heartbeatAgeMs: 5 }]);
    expect([coordinatorId, generation, shardsVersion]).toEqual([undefined, 'g', 'v']);
  });
});

test('a call is one command, and one of no shards is none', async () => {
  const redis = new ParrotRedis(['g', '', 'v']);
  const registry = new RedisRegistry(redis, 'one');
  await registry.beat({ record: recordOf(a), leaseMs: 3_000, wantsToCoordinate: true });
  await registry.advertise([]);
  await registry.leave(a);
  expect(redis.commands.map(({ keys }) => keys)).toEqual([
    ['cluster:{one}:nodes', 'cluster:{one}:shards'],
    ['cluster:{one}:nodes'],
  ]);
});
