import type { ScheduleId } from '../../actors/allocator/ids.ts';
import type { ProjectionError } from '../projection-error.ts';
import { ProjectionWaiters } from '../projection-waiters.ts';

/** How long a first event waits for others: a chunk of many costs much less an event than a chunk of one. */
const gatherMs = 100;

/** Commits are flowing while the last one is not older than this. */
const quietAfterMs = 50;

/** While commits flow, rest so many times as long as the last chunk took: a tenth of the time for projecting. */
const restsPerWork = 9;

/** Further behind than this, it no longer rests. */
const restingBacklogEventsMax = 100_000;

/** After an error of the database itself. */
const retryAfterMs = 1_000;

interface PacedProjector {
  readonly backlogEvents: number;
  projectChunk(): Promise<void>;
  currentTargets(): Map<ScheduleId, number>;
  isSettled(scheduleId: ScheduleId, seq: number): boolean;
  firstError(): ProjectionError | undefined;
}

/**
 * Decides when to project: one chunk at a time, beside the commits, which have a connection of their own. What the
 * database does for the one it can't do for the other, so it rests while commits flow, until it has fallen too far
 * behind.
 */
export class ProjectionLoop {
  readonly #projector: PacedProjector;
  readonly #known: () => Promise<void>;
  readonly #onFault: (error: Error) => void;
  readonly #waiters: ProjectionWaiters;
  #lastCommitMs = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #dueMs = Number.POSITIVE_INFINITY;
  #chunk: Promise<void> = Promise.resolve();
  #isRunning = false;
  /** While it ran: what it asked before may be out of date. */
  #isWoken = false;
  #isFailing = false;
  #isStopped = false;

  /**
   * @param known resolves when the projector knows what is behind.
   * @param onFault the first one of a series; none may come before something went well again.
   */
  constructor(projector: PacedProjector, known: () => Promise<void>, onFault: (error: Error) => void) {
    this.#projector = projector;
    this.#waiters = new ProjectionWaiters(projector);
    this.#known = known;
    this.#onFault = onFault;
  }

  /** Call after each commit. */
  noteCommit(): void {
    this.#lastCommitMs = performance.now();
    // A rest is not cut short by what it is for.
    if (this.#dueMs === Number.POSITIVE_INFINITY) this.#runAfter(gatherMs);
  }

  /** Call when something may be behind that was not committed just now. */
  wake(): void {
    this.#isWoken = this.#isRunning;
    this.#runAfter(0);
  }

  /** Resolves when all that is committed now is projected; rejects when a schedule has stopped short of that. */
  async projectAll(): Promise<void> {
    await this.#known();
    if (this.#isStopped) throw closed();
    const done = this.#waiters.wait();
    this.#runAfter(0);
    await done;
  }

  /** Waits for the chunk that is under way; none follows. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#waiters.reject(closed());
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
    this.#isWoken = false;
    try {
      await this.#known();
      if (this.#projector.backlogEvents > 0) await this.#projector.projectChunk();
      this.#isFailing = false;
      this.#waiters.settle();
      restMs = this.#restAfter(startedMs);
    } catch (error) {
      this.#waiters.reject(error as Error);
      if (!this.#isFailing) this.#onFault(error as Error);
      this.#isFailing = true;
      restMs = retryAfterMs;
    }
    this.#isRunning = false;
    if (restMs !== undefined) this.#runAfter(restMs);
  }

  /** Undefined when there is nothing to do. */
  #restAfter(startedMs: number): number | undefined {
    const { backlogEvents } = this.#projector;
    if (this.#waiters.size > 0 || this.#isWoken) return 0;
    if (backlogEvents === 0) return undefined;
    const nowMs = performance.now();
    const mayRest = nowMs - this.#lastCommitMs < quietAfterMs && backlogEvents <= restingBacklogEventsMax;
    return mayRest ? Math.max(gatherMs, (nowMs - startedMs) * restsPerWork) : 0;
  }
}

const closed = () => new Error('the store is closed');
