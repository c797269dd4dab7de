import type { ScheduleId } from '../actors/allocator/ids.ts';
import type { ProjectionError } from './projection-error.ts';

interface WatchedProjector {
  currentTargets(): Map<ScheduleId, number>;
  isSettled(scheduleId: ScheduleId, seq: number): boolean;
  firstError(): ProjectionError | undefined;
}

interface Waiter {
  readonly targets: Map<ScheduleId, number>;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Those who wait until all that was committed when they came is projected. */
export class ProjectionWaiters {
  readonly #projector: WatchedProjector;
  #waiters: Waiter[] = [];

  constructor(projector: WatchedProjector) {
    this.#projector = projector;
  }

  get size(): number {
    return this.#waiters.length;
  }

  /** Rejects when a schedule has stopped short of its target. */
  wait(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiters.push({ targets: this.#projector.currentTargets(), resolve, reject });
    return promise;
  }

  /** Call when a chunk is projected. */
  settle(): void {
    const stopped = this.#projector.firstError();
    this.#waiters = this.#waiters.filter(({ targets, resolve, reject }) => {
      for (const [scheduleId, seq] of targets) {
        if (this.#projector.isSettled(scheduleId, seq)) targets.delete(scheduleId);
      }
      if (targets.size > 0) return true;
      if (stopped === undefined) resolve();
      else reject(new Error(`schedule ${stopped.scheduleId}, seq ${stopped.seq}: ${stopped.message}`));
      return false;
    });
  }

  reject(error: Error): void {
    for (const waiter of this.#waiters.splice(0)) waiter.reject(error);
  }
}
