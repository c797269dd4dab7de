import type { ScheduleId, ShardId } from '../../actors/allocator/ids.ts';
import type { MySqlSession } from '../../mysql/session.ts';
import type { LagRow } from '../journal-lag.ts';

/** What the database says that nobody has projected, or published, yet. */
export interface JournalBacklog {
  readonly unprojected: readonly LagRow[];
  readonly unpublished: readonly LagRow[];
}

/**
 * Asks what is behind, of schedules of these shards: one look-up a schedule, however long the journal. Asked at
 * the start, when shards are claimed, and when a commit of unknown outcome turned out to be there.
 */
export async function findJournalBacklog(
  session: MySqlSession,
  isOwned: (shardId: ShardId) => boolean,
): Promise<JournalBacklog> {
  const ends = await session.rows<[ScheduleId, number]>(journalEndsSql);
  if (ends.length === 0) return { unprojected: [], unpublished: [] };
  const projected = new Map(await session.rows<[ScheduleId, number]>(projectedSql));
  const published = new Map(await session.rows<[ScheduleId, number]>(publishedSql));
  const unprojected: LagRow[] = [];
  const unpublished: LagRow[] = [];
  for (const [scheduleId, lastSeq] of ends) {
    const projectedSeq = projected.get(scheduleId) ?? 0;
    const publishedSeq = published.get(scheduleId) ?? 0;
    if (lastSeq <= projectedSeq && lastSeq <= publishedSeq) continue;
    const [end] = await session.rows<[ShardId]>(shardOfEventSql, [scheduleId, lastSeq]);
    if (end === undefined || !isOwned(end[0])) continue;
    if (lastSeq > projectedSeq) unprojected.push([scheduleId, projectedSeq, lastSeq]);
    if (lastSeq > publishedSeq) unpublished.push([scheduleId, publishedSeq, lastSeq]);
  }
  return { unprojected, unpublished };
}

/** Both servers jump from schedule to schedule in the primary key for this. */
export const journalEndsSql = 'SELECT schedule_id, MAX(seq) FROM event_log GROUP BY schedule_id';
const projectedSql = 'SELECT schedule_id, projected_seq FROM schedule_projection';
const publishedSql = 'SELECT schedule_id, published_seq FROM schedule_publication';
const shardOfEventSql = 'SELECT shard_id FROM event_log WHERE schedule_id = ? AND seq = ?';
