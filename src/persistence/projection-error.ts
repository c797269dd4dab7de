import type { ScheduleId } from '../actors/allocator/ids.ts';

/** A schedule whose journal cannot be projected any further: a bug, for people to look at. */
export interface ProjectionError {
  readonly scheduleId: ScheduleId;
  /** The event that was refused. */
  readonly seq: number;
  readonly message: string;
}
