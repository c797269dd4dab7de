import { ProjectionWaiters } from '../projection-waiters.ts';
import type { Projector } from './projector.ts';

/** How long a first event waits for others: a chunk of many costs less an event than a chunk of one. */
const gatherMs = 50;

/** Commits are flowing while the last one is not older than this. */
const quietAfterMs = 20;

/** While commits flow, rest so many times as long as the last chunk took: a tenth of a core for projecting. */
const restsPerWork = 9;

/** Further behind than this, it no longer rests: 250,000 events are half a second of a later recovery. */
const restingBacklogEventsMax = 250_000;

/** After an error of the database itself, a full disk for one. */
const retryAfterMs = 1000;

type PacedProjector = Pick<
  Projector,
  'backlogEvents' | 'projectChunk' | 'currentTargets' | 'isSettled' | 'firstError'
>;

/**
 * Decides when the worker projects. One chunk a turn of the event loop: messages that wait are handled
 * between two chunks, so a commit never waits for more than the chunk that is running.
 *
 * Projecting an event costs several times what committing it does, most of it for the index by user, whose
 * pages are written at random. In the rush of a drop it would take its core time from the sales; so it goes
 * slowly while commits flow and catches up when they pause.
 */
export class ProjectionPacer {
  readonly #projector: PacedProjector;
  readonly #nowMs: () => number;
  readonly #waiters: ProjectionWaiters;
  #lastCommitMs = Number.NEGATIVE_INFINITY;
  #next: NodeJS.Immediate | undefined;
  #later: NodeJS.Timeout | undefined;

  constructor(projector: PacedProjector, nowMs: () => number = () => performance.now()) {
    this.#projector = projector;
    this.#waiters = new ProjectionWaiters(projector);
    this.#nowMs = nowMs;
  }

  /** Call at the start, for what an earlier run left behind. */
  start(): void {
    if (this.#projector.backlogEvents > 0) this.#projectNext();
  }

  /** Call after each commit. */
  noteCommit(): void {
    this.#lastCommitMs = this.#nowMs();
    if (this.#next === undefined) this.#projectAfter(gatherMs);
  }

  /** Resolves when all that is committed now is projected; rejects when a schedule has stopped short of that. */
  projectAll(): Promise<void> {
    const done = this.#waiters.wait();
    this.#projectNext();
    return done;
  }

  stop(): void {
    clearImmediate(this.#next);
    clearTimeout(this.#later);
    this.#next = undefined;
    this.#later = undefined;
  }

  #projectNext(): void {
    this.#next ??= setImmediate(() => this.#projectChunk());
  }

  #projectAfter(delayMs: number): void {
    this.#later ??= setTimeout(() => this.#projectChunk(), delayMs);
  }

  #projectChunk(): void {
    this.stop();
    const startedMs = this.#nowMs();
    try {
      if (this.#projector.backlogEvents > 0) this.#projector.projectChunk();
    } catch (error) {
      this.#waiters.reject(error as Error);
      this.#projectAfter(retryAfterMs);
      return;
    }
    this.#waiters.settle();
    this.#planNext(startedMs);
  }

  #planNext(startedMs: number): void {
    const { backlogEvents } = this.#projector;
    const nowMs = this.#nowMs();
    const mayRest = nowMs - this.#lastCommitMs < quietAfterMs && backlogEvents <= restingBacklogEventsMax;
    if (this.#waiters.size > 0) this.#projectNext();
    else if (backlogEvents === 0) return;
    else if (mayRest) this.#projectAfter((nowMs - startedMs) * restsPerWork);
    else this.#projectNext();
  }
}
