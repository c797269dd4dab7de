import type { Cluster } from './cluster-stage.ts';
import { expectEvents } from './event-checks.ts';
import type { Sale } from './sale.ts';
import type { TopicReader } from './topic-reader.ts';

/** Of each of these schedules, everything that is in the journal has come to Kafka, whoever published it (I7). */
export async function expectEventsOf(
  cluster: Cluster,
  reader: TopicReader,
  sale: Sale,
  scheduleIds: readonly number[],
): Promise<void> {
  const rows = await cluster.query(
    `SELECT schedule_id, MAX(seq) AS seq FROM event_log
     WHERE schedule_id IN (${scheduleIds.join(',')}) GROUP BY schedule_id`,
  );
  for (const row of rows) await expectEvents(reader, sale, row['schedule_id'], row['seq']);
}
