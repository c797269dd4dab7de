import * as v from 'valibot';
import type { ShardId } from '../../actors/allocator/ids.ts';
import { parseInstanceId } from '../instance-id.ts';
import type { NodeRecord } from '../registry.ts';

const wholeSchema = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const shardIdSchema = v.pipe(
  wholeSchema,
  v.transform((value) => value as ShardId),
);

const shardRateSchema = v.object({
  shardId: shardIdSchema,
  epoch: wholeSchema,
  requestsPerSecond: v.pipe(v.number(), v.finite(), v.minValue(0)),
});

const liveMoveSchema = v.object({
  moveId: wholeSchema,
  shardId: shardIdSchema,
  toInstanceId: v.string(),
  phase: v.picklist(['preloading', 'sealed', 'transferred', 'activating']),
  startedAtMs: wholeSchema,
});

/**
 * Nodes of the next version may say more, which is ignored, or say it differently. Whoever is left out counts as
 * dead, so only what makes a node is insisted on. A state that is not known here is one that takes no shards.
 */
const recordSchema = v.object({
  instanceId: v.string(),
  version: v.string(),
  url: v.string(),
  state: v.fallback(v.picklist(['up', 'draining']), 'draining'),
  startedAtMs: wholeSchema,
  shards: v.fallback(v.array(shardRateSchema), []),
  moves: v.fallback(v.array(liveMoveSchema), []),
});

/** Rates to a tenth: a node on which nothing happens says the same again. */
export const writeNodeRecord = (record: NodeRecord): string =>
  JSON.stringify({
    ...record,
    shards: record.shards.map(({ shardId, epoch, requestsPerSecond }) => ({
      shardId,
      epoch,
      requestsPerSecond: Math.round(requestsPerSecond * 10) / 10,
    })),
  });

/** Undefined for what is none, and for one that stands under somebody else's name. */
function readNodeRecord(instanceId: string, text: string): NodeRecord | undefined {
  if (parseInstanceId(instanceId) === undefined) return undefined;
  let input: unknown;
  try {
    input = JSON.parse(text);
  } catch {
    return undefined;
  }
  const parsed = v.safeParse(recordSchema, input);
  return parsed.success && parsed.output.instanceId === instanceId ? parsed.output : undefined;
}

/** Reads each text once: most nodes say what they said half a second ago. Keeps what the last view had. */
export class NodeRecordReader {
  #known: ReadonlyMap<string, KnownRecord> = new Map();

  /** @param texts by instanceId. @returns those that are records. */
  read(texts: ReadonlyMap<string, string>): ReadonlyMap<string, NodeRecord> {
    const known = new Map<string, KnownRecord>();
    const records = new Map<string, NodeRecord>();
    for (const [instanceId, text] of texts) {
      const before = this.#known.get(instanceId);
      const record = before?.text === text ? before.record : readNodeRecord(instanceId, text);
      known.set(instanceId, { text, record });
      if (record !== undefined) records.set(instanceId, record);
    }
    this.#known = known;
    return records;
  }
}

interface KnownRecord {
  readonly text: string;
  readonly record: NodeRecord | undefined;
}
