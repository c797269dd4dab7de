import type { ScheduleId, ShardId } from '../../actors/allocator/ids.ts';
import type { MySqlSession } from '../../mysql/session.ts';
import type { LagRow } from '../journal-lag.ts';

/** What the database says that nobody has projected, or published, yet. */
export interface JournalBacklog {
  readonly unprojected: readonly LagRow[];
  readonly unpublished: readonly LagRow[];
}

type BacklogRow = [
  scheduleId: ScheduleId,
  shardId: ShardId,
  lastSeq: number,
  projectedSeq: number | null,
  publishedSeq: number | null,
];

/** Asks what is behind, of schedules of these shards: one look-up a schedule, however long the journal. */
export async function findJournalBacklog(
  session: MySqlSession,
  isOwned: (shardId: ShardId) => boolean,
): Promise<JournalBacklog> {
  const unprojected: LagRow[] = [];
  const unpublished: LagRow[] = [];
  for (const [scheduleId, shardId, lastSeq, projected, published] of await session.rows<BacklogRow>(
    backlogSql,
  )) {
    if (!isOwned(shardId)) continue;
    const [projectedSeq, publishedSeq] = [projected ?? 0, published ?? 0];
    if (lastSeq > projectedSeq) unprojected.push([scheduleId, projectedSeq, lastSeq]);
    if (lastSeq > publishedSeq) unpublished.push([scheduleId, publishedSeq, lastSeq]);
  }
  return { unprojected, unpublished };
}

/**
 * One statement, so one moment: between two of them somebody might commit, project or publish. Both servers jump
 * from schedule to schedule in the primary key of the log for the ends.
 */
const backlogSql = `SELECT log_end.schedule_id, last_row.shard_id, log_end.seq,
    projection.projected_seq, publication.published_seq
  FROM (SELECT schedule_id, MAX(seq) AS seq FROM event_log GROUP BY schedule_id) AS log_end
    JOIN event_log AS last_row ON last_row.schedule_id = log_end.schedule_id AND last_row.seq = log_end.seq
    LEFT JOIN schedule_projection AS projection ON projection.schedule_id = log_end.schedule_id
    LEFT JOIN schedule_publication AS publication ON publication.schedule_id = log_end.schedule_id
  WHERE projection.projected_seq IS NULL OR projection.projected_seq < log_end.seq
    OR publication.published_seq IS NULL OR publication.published_seq < log_end.seq`;
