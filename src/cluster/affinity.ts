import type { ShardId } from '../actors/allocator/ids.ts';

/**
 * How much a shard likes a node, 0 … 2^32 − 1: highest random weight (rendezvous) hashing, Thaler and Ravishankar
 * 1998. It depends on the two alone, so a node that comes or goes changes nothing between the others.
 *
 * FNV-1a over the name, then the finaliser of MurmurHash3 (both public domain), which FNV's last bytes need.
 */
export function affinity(nodeId: string, shardId: ShardId): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < nodeId.length; at++) hash = Math.imul(hash ^ nodeId.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ shardId, 0x9e3779b1);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
