import type { ScheduleId, ShardId } from '../../actors/allocator/ids.ts';
import type { VenueLayout } from '../../actors/allocator/venue-layout.ts';
import type { CreationMark, Performance, Schedule } from '../../actors/runtime/catalog.ts';
import type { JournalRow } from '../../actors/runtime/ports.ts';
import { JournalLag } from '../journal-lag.ts';
import { MemoryProjection } from './memory-projection.ts';

/**
 * What survives a crash: give it to the next MemoryStore, as a disk would be found again. Tests may read it
 * to see what is durable.
 */
export interface MemoryStoreData {
  readonly shards: Map<ShardId, MemoryShard>;
  readonly schedules: Map<ScheduleId, MemorySchedule>;
  /** By how much `publishedSeq` is behind the journal, schedule by schedule. */
  readonly unpublished: JournalLag;
  /** Element i has id i + 1. */
  readonly venues: VenueLayout[];
  readonly performances: Performance[];
  readonly catalogSchedules: Schedule[];
  readonly creationMarks: CreationMark[];
}

interface MemoryShard {
  epoch: number;
  owner: string;
  lastBatch: number;
}

export interface MemorySchedule {
  /** By seq; its front may have been trimmed. */
  readonly journal: Map<number, JournalRow>;
  /** The newest seq of the journal, trimmed or not; 0 = none. */
  lastSeq: number;
  publishedSeq: number;
  readonly projection: MemoryProjection;
}

export function emptyMemoryStoreData(): MemoryStoreData {
  return {
    shards: new Map(),
    schedules: new Map(),
    unpublished: new JournalLag(),
    venues: [],
    performances: [],
    catalogSchedules: [],
    creationMarks: [],
  };
}

export function scheduleIn(data: MemoryStoreData, scheduleId: ScheduleId): MemorySchedule {
  let schedule = data.schedules.get(scheduleId);
  if (schedule === undefined) {
    schedule = { journal: new Map(), lastSeq: 0, publishedSeq: 0, projection: new MemoryProjection() };
    data.schedules.set(scheduleId, schedule);
  }
  return schedule;
}

export function venueOf(data: MemoryStoreData, { performanceId }: Schedule): VenueLayout {
  const { venueId } = data.performances[performanceId - 1]!;
  return data.venues[venueId - 1]!;
}
