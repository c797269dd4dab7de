import type { ScheduleId } from '../../actors/allocator/ids.ts';
import type {
  JournalTrim,
  JournalTrimmed,
  OutboxChunk,
  SchedulePosition,
} from '../../actors/runtime/event-outbox.ts';
import type { JournalRow } from '../../actors/runtime/ports.ts';
import { type MemorySchedule, type MemoryStoreData, scheduleIn } from './memory-store-data.ts';

/** EventOutbox on MemoryStoreData, method by method. */

export function readMemoryUnpublished(data: MemoryStoreData, eventsMax: number): OutboxChunk {
  const rows: JournalRow[] = [];
  for (const scheduleId of data.unpublished.schedules()) {
    const room = eventsMax - rows.length;
    if (room === 0) break;
    const { journal, publishedSeq } = scheduleIn(data, scheduleId);
    rows.push(...rowsAfter(journal, publishedSeq).slice(0, room));
  }
  return { rows, backlogEvents: data.unpublished.events };
}

export function markMemoryPublished(data: MemoryStoreData, positions: readonly SchedulePosition[]): void {
  for (const { scheduleId, seq } of positions) {
    const schedule = scheduleIn(data, scheduleId);
    schedule.publishedSeq = Math.max(schedule.publishedSeq, seq);
    data.unpublished.noteDone(scheduleId, seq);
  }
}

export function trimMemoryJournal(
  data: MemoryStoreData,
  { afterScheduleId, beforeMs, rowsMax, isPublishing }: JournalTrim,
): JournalTrimmed {
  const found = nextWithRows(data, afterScheduleId);
  if (found === undefined) return { scheduleId: undefined, deleted: 0 };
  const [scheduleId, { journal, projection, publishedSeq }] = found;
  const keptFrom = isPublishing ? Math.min(projection.projectedSeq, publishedSeq) : projection.projectedSeq;
  const front = rowsAfter(journal, 0)
    .filter(({ seq }) => seq <= keptFrom)
    .slice(0, rowsMax);
  const lastSeq = front.findLast(({ atMs }) => atMs < beforeMs)?.seq ?? 0;
  const old = front.filter(({ seq }) => seq <= lastSeq);
  for (const { seq } of old) journal.delete(seq);
  if (!isPublishing && old.length > 0) markMemoryPublished(data, [{ scheduleId, seq: lastSeq }]);
  return { scheduleId, deleted: old.length };
}

/** By seq. */
function rowsAfter(journal: MemorySchedule['journal'], seq: number): JournalRow[] {
  return [...journal.values()].filter((row) => row.seq > seq).sort((a, b) => a.seq - b.seq);
}

function nextWithRows(
  { schedules }: MemoryStoreData,
  afterScheduleId: number,
): readonly [ScheduleId, MemorySchedule] | undefined {
  return [...schedules]
    .filter(([scheduleId, { journal }]) => scheduleId > afterScheduleId && journal.size > 0)
    .sort(([a], [b]) => a - b)[0];
}
