import { type ScheduleId, type ShardId, shardCount, shardOf } from '../../actors/allocator/ids.ts';
import type { MySqlSession } from '../../mysql/session.ts';
import { sqlList } from '../../mysql/sql-values.ts';
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

/**
 * The same of all schedules of these shards, by the catalogue: ids are 1, 2, 3 … (creation.ts), so a shard's are known
 * without a look at the others, and what a shard costs does not rise with how many others there are.
 *
 * A schedule that is created after the ids were counted, and is behind, can only have been sold by this process: its
 * commits are noted while the database is asked.
 */
export async function findBacklogOfShards(
  session: MySqlSession,
  isAsked: (shardId: ShardId) => boolean,
): Promise<JournalBacklog> {
  const [ends] = await session.rows<[first: number | null, last: number]>(
    "SELECT (SELECT MIN(schedule_id) FROM schedule), last_id FROM catalog_counter WHERE name = 'schedule'",
  );
  const [firstId, lastId] = ends ?? [null, 0];
  const scheduleIds: ScheduleId[] = [];
  for (let id = firstId ?? lastId + 1; id <= lastId; id++) {
    if (isAsked(shardOf(id as ScheduleId, shardCount))) scheduleIds.push(id as ScheduleId);
  }
  const backlog = { unprojected: [] as LagRow[], unpublished: [] as LagRow[] };
  for (let first = 0; first < scheduleIds.length; first += schedulesPerQuestion) {
    const ids = sqlList(scheduleIds.slice(first, first + schedulesPerQuestion));
    const rows = (await session.raw('SELECT schedule_id, …', positionsSql(ids))) as PositionRow[];
    for (const [scheduleId, last, projected, published] of rows) {
      const [lastSeq, projectedSeq, publishedSeq] = [last ?? 0, projected ?? 0, published ?? 0];
      if (lastSeq > projectedSeq) backlog.unprojected.push([scheduleId, projectedSeq, lastSeq]);
      if (lastSeq > publishedSeq) backlog.unpublished.push([scheduleId, publishedSeq, lastSeq]);
    }
  }
  return backlog;
}

type PositionRow = [
  scheduleId: ScheduleId,
  lastSeq: number | null,
  projectedSeq: number | null,
  publishedSeq: number | null,
];

const schedulesPerQuestion = 1_000;

/** One statement, so one moment for each schedule. The end of a journal is one look-up, at the end of its key. */
const positionsSql = (ids: string): string =>
  `SELECT schedule.schedule_id,
    (SELECT seq FROM event_log WHERE event_log.schedule_id = schedule.schedule_id ORDER BY seq DESC LIMIT 1),
    projection.projected_seq, publication.published_seq
  FROM schedule
    LEFT JOIN schedule_projection AS projection ON projection.schedule_id = schedule.schedule_id
    LEFT JOIN schedule_publication AS publication ON publication.schedule_id = schedule.schedule_id
  WHERE schedule.schedule_id IN ${ids}`;
