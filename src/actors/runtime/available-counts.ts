import type { ScheduleId } from '../allocator/ids.ts';

/**
 * Free seats of schedules as their owners tell them to the other nodes: for people who look at a list of
 * dates, never for a decision. May be late, and may be missing.
 */
export interface AvailableCounts {
  /**
   * Called by the owner, with what is on disk, whenever it changes. Returns at once and never throws. Of a
   * schedule, only the highest `seq` counts: what a node says that is no longer its owner changes nothing.
   */
  publish(scheduleId: ScheduleId, seq: number, available: number): void;

  /** Those that are known; none in trouble. Never rejects, and takes no longer than the adapter's time limit. */
  read(scheduleIds: readonly ScheduleId[]): Promise<ReadonlyMap<ScheduleId, number>>;
}

/** Where no other node could be told. */
export const noAvailableCounts: AvailableCounts = {
  publish: () => {},
  read: async () => new Map(),
};
