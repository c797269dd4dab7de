import { randomUUID } from 'node:crypto';

/**
 * `<nodeId>/<uuid>@<host>:<port>`: one run of a node, never used again, and where its internal port is. The store
 * keeps it with each shard, so the store alone is enough to find an owner.
 */
export interface Instance {
  readonly instanceId: string;
  readonly nodeId: string;
  /** host:port of its internal port. */
  readonly address: string;
}

export function newInstance(nodeId: string, address: string): Instance {
  return { instanceId: `${nodeId}/${randomUUID()}@${address}`, nodeId, address };
}

const INSTANCE_ID = /^([A-Za-z0-9._-]{1,64})\/[0-9a-z-]{1,36}(?:@(\S{3,140}))?$/;

/** Undefined for what is none. A node that is on its own has no address. */
export function parseInstanceId(instanceId: string): Instance | undefined {
  const [, nodeId, address = ''] = INSTANCE_ID.exec(instanceId) ?? [];
  return nodeId === undefined ? undefined : { instanceId, nodeId, address };
}

/** For people; what is no instanceId is its own name. */
export const nodeIdOf = (instanceId: string): string => parseInstanceId(instanceId)?.nodeId ?? instanceId;
