import type { LogEntry } from '../store/database.ts';
import type { Violation } from '../violation.ts';

/** I3: epochs only rise, and every batch was decided under the epoch that its shards had when it landed. */
export function checkOwnership(log: readonly LogEntry[]): readonly Violation[] {
  const violations: Violation[] = [];
  const epochs = new Map<number, number>();
  for (const entry of log) {
    if (entry.kind === 'epoch') {
      const before = epochs.get(entry.shardId) ?? 0;
      if (entry.epoch <= before) {
        violations.push({
          invariant: 'I3',
          message: `shard ${entry.shardId}: epoch ${before} → ${entry.epoch}`,
        });
      }
      epochs.set(entry.shardId, entry.epoch);
      continue;
    }
    for (const { shardId, epoch } of entry.shards) {
      if (epoch === epochs.get(shardId)) continue;
      violations.push({
        invariant: 'I3',
        message: `shard ${shardId} is at epoch ${epochs.get(shardId)}, a batch of epoch ${epoch} landed`,
      });
    }
    for (const row of entry.rows) {
      if (entry.shards.some(({ shardId }) => shardId === row.shardId)) continue;
      violations.push({ invariant: 'I3', message: `a row of shard ${row.shardId} landed without its epoch` });
    }
  }
  return violations;
}
