import type { ScheduleId } from '../../actors/allocator/ids.ts';
import type { Clock } from '../../actors/runtime/ports.ts';
import type { JournalColumns } from '../journal-columns.ts';
import { ChunkEncoder, type ScheduleFault } from './chunk-encoder.ts';
import { type EventPart, type EventSink, MessagesTooLarge } from './event-sink.ts';
import { KnownReservations } from './known-reservations.ts';
import { KnownSchedules } from './known-schedules.ts';
import type { PublishingSource } from './publishing-source.ts';
import { StoppedSchedules } from './stopped-schedules.ts';

/**
 * Publishes the journal (I7): reads a chunk of what is not published, sends it, marks it, and begins again. Runs in
 * the worker thread; one chunk at a time, and nothing else is kept.
 *
 * Why nothing is missed: a mark is made only after everything up to it was stored, and each chunk begins right
 * after the mark. What was not marked, whatever became of it, is read and sent again.
 *
 * Why first deliveries come in order: whatever is sent of a schedule, at any time, is a gapless run that begins
 * where something stored ends, at the mark or at the part before. It repeats what is there or continues it, also
 * when an attempt that was given up arrives late, between or after newer ones. A partition takes the run whole and
 * in its order, or not at all: so what it has of a schedule is a prefix of the journal with repeats, always. After
 * any error the sink is closed, and a new one begins at the mark.
 *
 * What cannot be told (a payload that cannot be read, a reservation that no projection has, a message larger than
 * the brokers take) stops its own schedule, and a person is told; to leave it out would be a hole that no consumer
 * could ever see. The other schedules go on.
 */
export class PublishingLoop {
  readonly #source: PublishingSource;
  readonly #openSink: () => Promise<EventSink>;
  readonly #clock: PublishingClock;
  readonly #observer: PublishingObserver;
  readonly #encoder: ChunkEncoder;
  readonly #stopped: StoppedSchedules;

  #sink: EventSink | undefined;
  #step: PublishingStep = 'connect';
  #partBytesMax = partBytesMax;
  #failures = 0;
  /** Chunks in a row of which nothing could be sent. */
  #fruitlessChunks = 0;
  #isWoken = false;
  #isStopping = false;
  #endPause: ((by: 'wake' | 'stop') => void) | undefined;

  constructor({ source, openSink, clock, observer }: PublishingLoopOptions) {
    this.#source = source;
    this.#openSink = openSink;
    this.#clock = clock;
    this.#observer = observer;
    this.#stopped = new StoppedSchedules(clock);
    this.#encoder = new ChunkEncoder(new KnownReservations(source), new KnownSchedules(source), () =>
      clock.nowMs(),
    );
  }

  /** Resolves when it was told to stop and has. Never rejects. */
  async run(): Promise<void> {
    while (!this.#isStopping) {
      try {
        const { sentEvents, hasMore } = await this.#publishChunk(await this.#connected());
        this.#failures = 0;
        this.#fruitlessChunks = sentEvents > 0 ? 0 : this.#fruitlessChunks + 1;
        // One that is all of stopped schedules may hide others, which then come next.
        if (!hasMore || this.#fruitlessChunks > 1) await this.#waitForMore();
      } catch (error) {
        await this.#fail(error);
      }
    }
    await this.#closeSink();
  }

  /** Something was committed. Costs next to nothing when it knows already. */
  wake(): void {
    this.#isWoken = true;
    this.#endPause?.('wake');
  }

  /** The part that is being sent is finished and marked; nothing else is begun. */
  stop(): void {
    this.#isStopping = true;
    this.#endPause?.('stop');
  }

  async #connected(): Promise<EventSink> {
    if (this.#sink?.isLost === true) await this.#closeSink();
    if (this.#sink !== undefined) return this.#sink;
    this.#step = 'connect';
    this.#sink = await this.#openSink();
    this.#observer.onConnection(true);
    return this.#sink;
  }

  async #publishChunk(sink: EventSink): Promise<{ sentEvents: number; hasMore: boolean }> {
    this.#step = 'read';
    const { rows, backlogEvents } = await this.#source.readUnpublished(chunkEventsMax);
    const chunk = await this.#encoder.prepare(rows, (scheduleId) => this.#stopped.isStopped(scheduleId));
    const sent = new SentEvents();
    try {
      this.#step = 'send';
      for (const part of chunk.parts(this.#partBytesMax)) {
        await this.#send(sink, part);
        sent.add(part);
        if (this.#isStopping) break;
      }
    } catch (error) {
      // Less to repeat. What is not marked is repeated, so this may fail.
      await this.#mark(sent).catch(() => {});
      throw error;
    }
    for (const fault of chunk.faults) this.#stopSchedule(fault);
    const hasMore = backlogEvents > rows.count;
    if (hasMore) sent.passOver(rows);
    this.#step = 'mark';
    await this.#mark(sent);
    return { sentEvents: sent.events, hasMore };
  }

  async #mark({ positions, events }: SentEvents): Promise<void> {
    if (positions.size === 0) return;
    await this.#source.markPublished(
      Array.from(positions, ([scheduleId, seq]) => ({ scheduleId, seq })),
      events,
    );
  }

  async #send(sink: EventSink, part: EventPart): Promise<void> {
    try {
      await sink.send(part);
    } catch (error) {
      await this.#closeSink();
      if (error instanceof MessagesTooLarge) this.#refuse(part, error);
      throw error;
    }
  }

  /** Smaller parts from now on, until one event alone is found to be what was too large. */
  #refuse({ events, bytes, positions }: EventPart, error: MessagesTooLarge): void {
    if (events > 1) {
      this.#partBytesMax = Math.max(1, Math.floor(bytes / 8));
      return;
    }
    this.#partBytesMax = partBytesMax;
    for (const [scheduleId, seq] of positions) this.#stopSchedule({ scheduleId, seq, reason: error.message });
  }

  #stopSchedule(fault: ScheduleFault): void {
    this.#stopped.stop(fault.scheduleId);
    this.#observer.onStoppedSchedule(fault);
  }

  async #waitForMore(): Promise<void> {
    if (!this.#isWoken) {
      this.#observer.onAsleep();
      await this.#pause(pollEveryMs, 'wake');
    }
    // Commits come in swarms; each chunk costs a mark, which is a commit of its own.
    await this.#pause(gatherMs);
    this.#isWoken = false;
  }

  async #fail(error: unknown): Promise<void> {
    this.#observer.onFailure(this.#step, error);
    await this.#pause(Math.min(retryAfterMsMax, retryAfterMs * 2 ** this.#failures));
    this.#failures += 1;
  }

  async #closeSink(): Promise<void> {
    const sink = this.#sink;
    if (sink === undefined) return;
    this.#sink = undefined;
    this.#observer.onConnection(false);
    await sink.close();
  }

  /** Ends early when it is stopped, and when it is woken if `endsBy` says so. */
  async #pause(delayMs: number, endsBy?: 'wake'): Promise<void> {
    if (this.#isStopping) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = this.#clock.setTimer(delayMs, resolve);
    this.#endPause = (by) => {
      if (by === 'stop' || by === endsBy) resolve();
    };
    await promise;
    timer.cancel();
    this.#endPause = undefined;
  }
}

/** What was sent of a chunk, and may be marked. */
class SentEvents {
  readonly positions = new Map<ScheduleId, number>();
  events = 0;

  add({ positions, events }: EventPart): void {
    for (const [scheduleId, seq] of positions) this.positions.set(scheduleId, seq);
    this.events += events;
  }

  /** Schedules of which nothing was sent go to the end of the line: others may be waiting behind them. */
  passOver({ count, scheduleId, seq }: JournalColumns): void {
    for (let i = 0; i < count; i++) {
      if (!this.positions.has(scheduleId[i]!)) this.positions.set(scheduleId[i]!, seq[i]! - 1);
    }
  }
}

interface PublishingLoopOptions {
  readonly source: PublishingSource;
  /** Rejects when it cannot be had now; it is asked again. */
  readonly openSink: () => Promise<EventSink>;
  readonly clock: PublishingClock;
  readonly observer: PublishingObserver;
}

export type PublishingClock = Pick<Clock, 'nowMs' | 'monotonicMs' | 'setTimer'>;

/** What it was doing when it failed. */
export type PublishingStep = 'connect' | 'read' | 'send' | 'mark';

export interface PublishingObserver {
  onConnection(isConnected: boolean): void;
  /** It is tried again. */
  onFailure(step: PublishingStep, error: unknown): void;
  /** It is tried again after a while; told each time. */
  onStoppedSchedule(fault: ScheduleFault): void;
  /** Nothing is left to do: from now on it is to be woken. */
  onAsleep(): void;
}

/** 2 MB or so as messages. */
const chunkEventsMax = 2_000;

/** A partition takes a part as one record batch, of at most 1,048,588 bytes unless somebody changed that. */
const partBytesMax = 1_000_000;

const gatherMs = 20;
/** Should a wake-up ever be missing. */
const pollEveryMs = 5_000;
const retryAfterMs = 100;
const retryAfterMsMax = 5_000;
