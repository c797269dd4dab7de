import { randomUUID } from 'node:crypto';
import type { ShardId } from '../../actors/allocator/ids.ts';
import type { ShardRecord } from '../../actors/runtime/ports.ts';
import { type Redis, RedisRefusal, type RedisReply, type RedisScript } from '../../redis/redis.ts';
import { parseInstanceId } from '../instance-id.ts';
import {
  type Beat,
  type LiveNode,
  type Registry,
  RegistryUnavailable,
  type RegistryView,
} from '../registry.ts';
import { NodeRecordReader, writeNodeRecord } from './node-record.ts';
import {
  advertiseScript,
  beatScript,
  keyLifeMs,
  leaveScript,
  lookScript,
  nodesKey,
  readShardsScript,
  shardsKey,
  versionField,
} from './registry-scripts.ts';

/**
 * The registry in Redis: each call is one script, one round trip and one step (registry-scripts.ts).
 *
 * R1 Leases are counted by Redis' clock alone; it needs Redis 7.0, where a script that has asked for the time may
 *    write.
 * R2 What somebody else has written there is left out, and never throws. An answer that is none is as no answer.
 */
export class RedisRegistry implements Registry {
  readonly #redis: Redis;
  readonly #nodesKey: string;
  readonly #shardsKey: string;
  readonly #records = new NodeRecordReader();
  /** Of this adapter, unlike any other's: makes generations and versions. */
  readonly #token = randomUUID();
  #advertisements = 0;

  /** @param installationId random, made with the data of this installation: others may share the Redis. */
  constructor(redis: Redis, installationId: string) {
    this.#redis = redis;
    this.#nodesKey = nodesKey(installationId);
    this.#shardsKey = shardsKey(installationId);
  }

  async beat({ record, leaseMs, wantsToCoordinate }: Beat): Promise<RegistryView> {
    const wants = wantsToCoordinate ? 1 : 0;
    const args = [record.instanceId, writeNodeRecord(record), leaseMs, wants, randomUUID(), keyLifeMs];
    return this.#viewOf(await this.#run(beatScript, [this.#nodesKey, this.#shardsKey], args));
  }

  async look(): Promise<RegistryView> {
    return this.#viewOf(await this.#run(lookScript, [this.#nodesKey, this.#shardsKey], []));
  }

  async leave(instanceId: string): Promise<void> {
    await this.#run(leaveScript, [this.#nodesKey], [instanceId]);
  }

  async advertise(shards: readonly ShardRecord[]): Promise<void> {
    if (shards.length === 0) return;
    this.#advertisements += 1;
    const version = `${this.#token}-${this.#advertisements}`;
    const words = shards.flatMap(({ shardId, epoch, owner }) => [shardId, epoch, owner]);
    await this.#run(advertiseScript, [this.#shardsKey], [version, keyLifeMs, ...words]);
  }

  async readShards(): Promise<readonly ShardRecord[]> {
    const words = wordsOf(await this.#run(readShardsScript, [this.#shardsKey], []));
    const shards: ShardRecord[] = [];
    for (let at = 0; at + 1 < words.length; at += 2) {
      const [field = '', text = ''] = words.slice(at, at + 2);
      const shard = field === versionField ? undefined : readShard(field, text);
      if (shard !== undefined) shards.push(shard);
    }
    return shards.sort((a, b) => a.shardId - b.shardId);
  }

  async #run(
    script: RedisScript,
    keys: string[],
    args: (string | number)[],
  ): Promise<RedisReply | undefined> {
    let reply: RedisReply | undefined;
    try {
      [reply] = await this.#redis.run([{ command: script, keys, args }]);
    } catch (error) {
      throw new RegistryUnavailable(`${error instanceof Error ? error.message : error}`, { cause: error });
    }
    if (reply instanceof RedisRefusal) throw new RegistryUnavailable(`Redis refuses: ${reply.message}`);
    return reply;
  }

  #viewOf(reply: RedisReply | undefined): RegistryView {
    const [generation, coordinatorId, shardsVersion, ...words] = wordsOf(reply);
    if (generation === undefined || coordinatorId === undefined || shardsVersion === undefined) {
      throw new RegistryUnavailable('Redis’ answer to a beat is none');
    }
    const agesMs = new Map<string, number>();
    const texts = new Map<string, string>();
    for (let at = 0; at + 2 < words.length; at += 3) {
      const [instanceId = '', age, text = ''] = words.slice(at, at + 3);
      agesMs.set(instanceId, Number(age));
      texts.set(instanceId, text);
    }
    const nodes = [...this.#records.read(texts)].map(
      ([instanceId, record]): LiveNode => ({ ...record, heartbeatAgeMs: agesMs.get(instanceId) ?? 0 }),
    );
    return {
      nodes: nodes.sort((a, b) => (a.instanceId < b.instanceId ? -1 : 1)),
      coordinatorId: coordinatorId === '' ? undefined : coordinatorId,
      shardsVersion,
      generation,
    };
  }
}

/** @throws RegistryUnavailable for what is no list of texts and numbers. */
function wordsOf(reply: RedisReply | undefined): readonly string[] {
  const isWord = (word: RedisReply): boolean => typeof word === 'string' || typeof word === 'number';
  if (Array.isArray(reply) && reply.every(isWord)) return reply.map(String);
  throw new RegistryUnavailable('Redis’ answer is none of our scripts');
}

/** Undefined for what we did not write. */
function readShard(field: string, text: string): ShardRecord | undefined {
  const [, epoch, owner = ''] = /^(\d{1,15}) (.+)$/.exec(text) ?? [];
  if (!/^(0|[1-9]\d{0,8})$/.test(field) || parseInstanceId(owner) === undefined) return undefined;
  return { shardId: Number(field) as ShardId, epoch: Number(epoch), owner };
}
