/**
 * Schedules whose journal goes beyond a seq that schedule_projection keeps of them, as LagRow: one look-up a
 * schedule, however long the journal.
 */
export const behindSql = (doneColumn: 'projected_seq' | 'published_seq'): string => `
  WITH RECURSIVE logged (schedule_id) AS (
    SELECT min(schedule_id) FROM event_log
    UNION ALL
    SELECT (SELECT min(e.schedule_id) FROM event_log e WHERE e.schedule_id > logged.schedule_id)
    FROM logged WHERE logged.schedule_id IS NOT NULL
  ), ends AS (
    SELECT schedule_id, (SELECT max(e.seq) FROM event_log e WHERE e.schedule_id = logged.schedule_id) AS seq
    FROM logged WHERE schedule_id IS NOT NULL
  )
  SELECT ends.schedule_id, coalesce(p.${doneColumn}, 0), ends.seq
  FROM ends LEFT JOIN schedule_projection p USING (schedule_id)
  WHERE ends.seq > coalesce(p.${doneColumn}, 0)`;
