import type { ScheduleId } from '../../actors/allocator/ids.ts';
import type { Clock } from '../../actors/runtime/ports.ts';

/** Long enough to cost nothing, short enough that what was mended goes on by itself. */
const retryAfterMs = 15_000;

/**
 * Schedules that are published no further for now: an event of theirs cannot be told, and what comes after it must
 * not be told before it. Tried again after a while. As many as are at fault, which is none unless something broke.
 */
export class StoppedSchedules {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #untilMs = new Map<ScheduleId, number>();

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
  }

  stop(scheduleId: ScheduleId): void {
    this.#untilMs.set(scheduleId, this.#clock.monotonicMs() + retryAfterMs);
  }

  isStopped(scheduleId: ScheduleId): boolean {
    const untilMs = this.#untilMs.get(scheduleId);
    if (untilMs === undefined) return false;
    if (this.#clock.monotonicMs() < untilMs) return true;
    this.#untilMs.delete(scheduleId);
    return false;
  }
}
