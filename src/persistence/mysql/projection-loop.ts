import type { ScheduleId } from '../../actors/allocator/ids.ts';
import type { ProjectionError } from '../projection-error.ts';

/** How long a first event waits for others: a chunk of many costs much less an event than a chunk of one. */
const gatherMs = 100;

/** Commits are flowing while the last one is not older than this. */
const quietAfterMs = 50;

/** While commits flow, rest as long as the last chunk took: half of a connection's time for projecting. */
const restsPerWork = 1;

/** Further behind than this, it no longer rests. */
const restingBacklogEventsMax = 50_000;

/** After an error of the database itself. */
const retryAfterMs = 1_000;

interface PacedProjector {
  readonly backlogEvents: number;
  projectChunk(): Promise<void>;
  currentTargets(): Map<ScheduleId, number>;
  isSettled(scheduleId: ScheduleId, seq: number): boolean;
  firstError(): ProjectionError | undefined;
}

interface Waiter {
  readonly targets: Map<ScheduleId, number>;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/**
 * Decides when to project: one chunk at a time, beside the commits, which have a connection of their own. What the
 * database does for the one it can't do for the other, so it rests while commits flow, until it has fallen too far
 * behind.
 */
export class ProjectionLoop {
  readonly #projector: PacedProjector;
  readonly #onFault: (error: Error) => void;
  #waiters: Waiter[] = [];
  #lastCommitMs = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #dueMs = Number.POSITIVE_INFINITY;
  #chunk: Promise<void> = Promise.resolve();
  #isRunning = false;
  #isStopped = false;

  constructor(projector: PacedProjector, onFault: (error: Error) => void) {
    this.#projector = projector;
    this.#onFault = onFault;
  }

  /** Call after each commit. */
  noteCommit(): void {
    this.#lastCommitMs = performance.now();
    this.#runAfter(gatherMs);
  }

  /** Call when something is behind that was not committed just now. */
  wake(): void {
    this.#runAfter(0);
  }

  /** Resolves when all that is committed now is projected; rejects when a schedule has stopped short of that. */
  projectAll(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiters.push({ targets: this.#projector.currentTargets(), resolve, reject });
      this.#runAfter(0);
    });
  }

  /** Waits for the chunk that is under way; none follows. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#rejectWaiters(new Error('the store is closed'));
    await this.#chunk;
  }

  /** The earlier of two wishes counts. */
  #runAfter(delayMs: number): void {
    if (this.#isStopped || this.#isRunning) return;
    const dueMs = performance.now() + delayMs;
    if (dueMs >= this.#dueMs) return;
    clearTimeout(this.#timer);
    this.#dueMs = dueMs;
    this.#timer = setTimeout(() => {
      this.#dueMs = Number.POSITIVE_INFINITY;
      this.#isRunning = true;
      this.#chunk = this.#run();
    }, delayMs);
  }

  async #run(): Promise<void> {
    const startedMs = performance.now();
    let restMs: number | undefined;
    try {
      if (this.#projector.backlogEvents > 0) await this.#projector.projectChunk();
      this.#settleWaiters();
      restMs = this.#restAfter(startedMs);
    } catch (error) {
      this.#rejectWaiters(error as Error);
      this.#onFault(error as Error);
      restMs = retryAfterMs;
    }
    this.#isRunning = false;
    if (restMs !== undefined) this.#runAfter(restMs);
  }

  /** Undefined when there is nothing to do. */
  #restAfter(startedMs: number): number | undefined {
    const { backlogEvents } = this.#projector;
    if (this.#waiters.length > 0) return 0;
    if (backlogEvents === 0) return undefined;
    const nowMs = performance.now();
    const mayRest = nowMs - this.#lastCommitMs < quietAfterMs && backlogEvents <= restingBacklogEventsMax;
    return mayRest ? Math.max(gatherMs, (nowMs - startedMs) * restsPerWork) : 0;
  }

  #settleWaiters(): void {
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

  #rejectWaiters(error: Error): void {
    for (const { reject } of this.#waiters) reject(error);
    this.#waiters = [];
  }
}
