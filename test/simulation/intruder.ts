import type { ScheduleId, ShardId, UserId } from '../../src/actors/allocator/ids.ts';
import type { JournalRow } from '../../src/actors/runtime/ports.ts';
import { nobody, openHolds } from './model/journal-model.ts';
import type { Database } from './store/database.ts';
import { saleOf, type World } from './world.ts';

/**
 * Another owner of a shard, as lawful as ours: it claims the shard and, if it sells, ends what is due and
 * holds one free seat of the shard's first schedule.
 */
export async function intrude(
  world: World,
  database: Database,
  shardId: ShardId,
  options: { readonly name: string; readonly sells: boolean; readonly wallMs: number },
): Promise<void> {
  const shards = await database.claim(options.name, [shardId]);
  const sale = world.sales.find(({ scheduleId }) => database.shardOf(scheduleId) === shardId);
  if (!options.sells || sale === undefined) return;
  const rows = salesOf(world, database, sale.scheduleId, options);
  if (rows.length > 0) await database.commit({ batchNumber: 1, shards, rows });
}

function salesOf(
  world: World,
  database: Database,
  scheduleId: ScheduleId,
  options: { readonly name: string; readonly wallMs: number },
): readonly JournalRow[] {
  const { latest } = database.model(scheduleId);
  const { hall, onSaleAtMs, priceMinorOf } = saleOf(world, scheduleId);
  const atMs = Math.max(options.wallMs, latest.lastAtMs);
  const rows: JournalRow[] = [];
  const write = (type: JournalRow['type'], payload: object) =>
    rows.push({
      scheduleId,
      shardId: database.shardOf(scheduleId),
      seq: latest.seq + 1 + rows.length,
      atMs,
      type,
      payload: JSON.stringify(payload),
    });
  for (const hold of openHolds(latest)) {
    if (hold.expiresAtMs <= atMs) write('expired', { number: hold.number });
  }
  const seat = hall.seats.find(({ ordinal }) => latest.holders[ordinal] === nobody);
  if (seat !== undefined && atMs >= onSaleAtMs) {
    write('held', {
      number: latest.lastNumber + 1,
      userId: options.name as UserId,
      seats: [seat.ordinal],
      totalMinor: priceMinorOf.get(seat.category),
      expiresAtMs: atMs + world.limits.holdTtlMs,
    });
  }
  return rows;
}
