import type { EventOutbox } from './event-outbox.ts';
import type { Clock, TimerHandle } from './ports.ts';

/**
 * Keeps the journal from growing for ever: goes round all schedules from time to time, and has the store delete
 * what is older than the retention and no longer needed (EventOutbox.trimJournal decides what that is).
 *
 * The store is the one that commits, and a commit waits for the step that is running. So a step deletes few
 * rows, and a rest follows that is many times as long as the step was: however large the journal, trimming takes
 * a tenth of the store's time at most.
 *
 * What fails is told and tried again later, from where the round had come to. Nobody waits for a round.
 */
export class JournalTrimmer {
  readonly #options: JournalTrimmerOptions;
  #timer: TimerHandle | undefined;
  #step: Promise<void> | undefined;
  #isStopped = false;
  /** Where the round has come to; 0 between two rounds. */
  #afterScheduleId = 0;

  constructor(options: JournalTrimmerOptions) {
    this.#options = options;
  }

  start(): void {
    this.#after(firstRoundAfterMs);
  }

  /** Begins nothing more; resolves when the step under way has ended. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    await this.#step;
  }

  #after(delayMs: number): void {
    if (this.#isStopped) return;
    this.#timer = this.#options.clock.setTimer(delayMs, () => {
      this.#step = this.#trim();
    });
  }

  async #trim(): Promise<void> {
    const { clock, onFault } = this.#options;
    const startedMs = clock.monotonicMs();
    try {
      const isRoundOver = await this.#trimOnce();
      if (isRoundOver) this.#after(roundEveryMs);
      else this.#after(Math.max(restMinMs, restsPerStep * (clock.monotonicMs() - startedMs)));
    } catch (error) {
      onFault('trimming the journal failed: it is tried again in a minute', error);
      this.#after(retryAfterMs);
    }
  }

  /** @returns whether there is no further schedule. */
  async #trimOnce(): Promise<boolean> {
    const { outbox, clock, retentionMs, isPublishing } = this.#options;
    const { scheduleId, deleted } = await outbox.trimJournal({
      afterScheduleId: this.#afterScheduleId,
      beforeMs: clock.nowMs() - retentionMs,
      rowsMax,
      isPublishing,
    });
    // A full step may have left some: the same schedule again, which is gone from the list when it had no more.
    if (deleted < rowsMax) this.#afterScheduleId = scheduleId ?? 0;
    return scheduleId === undefined;
  }
}

interface JournalTrimmerOptions {
  readonly outbox: Pick<EventOutbox, 'trimJournal'>;
  readonly clock: Clock;
  /** Younger events stay. */
  readonly retentionMs: number;
  /** False: events that nobody has published go as well. */
  readonly isPublishing: boolean;
  /** For people. */
  readonly onFault: (fault: string, error: unknown) => void;
}

/** A node that has just started has better things to do. */
const firstRoundAfterMs = 60_000;
const roundEveryMs = 3_600_000;
const retryAfterMs = 60_000;

/** A few milliseconds of a store's time. */
const rowsMax = 1_000;
const restsPerStep = 9;
/** A round over 100,000 schedules with nothing to delete takes 8 minutes. */
const restMinMs = 5;
