import type { ShardRecord } from '../actors/runtime/ports.ts';
import { nodeIdOf } from './instance-id.ts';
import type { LiveNode } from './registry.ts';

/**
 * Where the store, the registry and the nodes say different things of who owns what, as lines for people. The store is
 * right; the others follow within a second or so, and a line that stays tells of trouble.
 */
export function shardDisagreements({ live, owners, advertised }: Voices): readonly string[] {
  const lines: string[] = [];
  const served = new Map<number, { epoch: number; nodes: string[] }>();
  for (const { instanceId, shards } of live) {
    for (const { shardId, epoch } of shards) {
      const { nodes } = served.get(shardId) ?? { nodes: [] };
      served.set(shardId, { epoch, nodes: [...nodes, nodeIdOf(instanceId)] });
    }
  }
  const said = new Map(advertised?.map((record) => [record.shardId, record]));
  for (const { shardId, owner, epoch } of owners) {
    const name = nodeIdOf(owner);
    const nodes = served.get(shardId)?.nodes ?? [];
    const isLive = live.some(({ instanceId }) => instanceId === owner);
    if (nodes.length > 1) lines.push(`shard ${shardId}: ${nodes.join(' and ')} both say that they serve it`);
    else if (nodes[0] !== undefined && nodes[0] !== name) {
      lines.push(`shard ${shardId}: ${nodes[0]} says that it serves it, the store has it under ${name}`);
    } else if (isLive && nodes.length === 0) {
      lines.push(`shard ${shardId}: the store has it under ${name}, which does not serve it`);
    }
    const record = said.get(shardId);
    if (advertised === undefined) continue;
    if (record === undefined) lines.push(`shard ${shardId}: Redis has no owner, the store has ${name}`);
    else if (record.owner !== owner) {
      lines.push(
        `shard ${shardId}: Redis has ${nodeIdOf(record.owner)} at epoch ${record.epoch}, the store ${name} at ${epoch}`,
      );
    }
  }
  return lines;
}

interface Voices {
  readonly live: readonly LiveNode[];
  /** By the store. */
  readonly owners: readonly ShardRecord[];
  /** By the registry; undefined when it does not answer. */
  readonly advertised: readonly ShardRecord[] | undefined;
}
