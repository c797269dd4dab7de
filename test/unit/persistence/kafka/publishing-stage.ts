import type { ReservationRef, ScheduleId, VenueId } from '../../../../src/actors/allocator/ids.ts';
import type { SchedulePosition } from '../../../../src/actors/runtime/event-outbox.ts';
import { StoreUnavailable } from '../../../../src/actors/runtime/ports.ts';
import { toJournalColumns } from '../../../../src/persistence/journal-columns.ts';
import type { EventMessage } from '../../../../src/persistence/kafka/cloud-event.ts';
import type { EventPart, EventSink } from '../../../../src/persistence/kafka/event-sink.ts';
import {
  PublishingLoop,
  type PublishingObserver,
} from '../../../../src/persistence/kafka/publishing-loop.ts';
import type { PublishingSource } from '../../../../src/persistence/kafka/publishing-source.ts';
import { MemoryStore } from '../../../../src/persistence/memory/memory-store.ts';
import type { ScheduleJournal } from '../../../contract/schedule-journal.ts';
import { Committer } from '../../../contract/store-harness.ts';
import { ManualClock } from '../../actors/runtime/manual-clock.ts';

const seats = Array.from({ length: 4000 }, (_, i) => ({ seatId: `A-${i}`, number: `${i}`, category: 'c' }));

/** PublishingSource on a MemoryStore: what is marked and what waits is the real thing. */
export class StageSource implements PublishingSource {
  readonly store = new MemoryStore();
  /** In the order of the calls. */
  readonly calls: string[] = [];
  /** Calls of that name fail while it is there. */
  readonly failing = new Set<keyof PublishingSource>();
  /** Schedules that the catalogue does not have. */
  readonly unknown = new Set<ScheduleId>();
  /** A JSON of the sections, or none. */
  layout: string | undefined = JSON.stringify([{ name: 'A', rows: [{ name: '1', seats }] }]);

  async readUnpublished(eventsMax: number) {
    this.#note('readUnpublished');
    const { rows, backlogEvents } = await this.store.readUnpublished(eventsMax);
    return { rows: toJournalColumns(rows), backlogEvents };
  }

  async markPublished(positions: readonly SchedulePosition[]) {
    this.#note('markPublished');
    await this.store.markPublished(positions);
  }

  async findReservations(refs: readonly ReservationRef[]) {
    this.#note('findReservations');
    return Promise.all(refs.map(({ scheduleId, number }) => this.store.findReservation(scheduleId, number)));
  }

  async projectAll() {
    this.#note('projectAll');
    await this.store.projectAll();
  }

  async describeSchedule(scheduleId: ScheduleId) {
    this.#note('describeSchedule');
    return this.unknown.has(scheduleId) ? undefined : { venueId: 1 as VenueId, currency: 'EUR' };
  }

  async venueLayout() {
    this.#note('venueLayout');
    return this.layout;
  }

  count(name: keyof PublishingSource): number {
    return this.calls.filter((call) => call === name).length;
  }

  #note(name: keyof PublishingSource): void {
    this.calls.push(name);
    if (this.failing.has(name)) throw new StoreUnavailable(`no ${name} now`);
  }
}

/** What the brokers have, and what becomes of what is sent to them. */
export class StageBrokers {
  readonly reservations: EventMessage[] = [];
  readonly seatsReserved: EventMessage[] = [];
  /** Parts, as they were sent. */
  readonly parts: EventPart[] = [];
  sinksOpened = 0;
  sinksOpen = 0;
  isDown = false;
  isLost = false;
  /** Decides about a part: throws, or stores some of it first. */
  onSend: (part: EventPart) => Promise<void> | void = (part) => this.store(part);

  store({ reservations, seatsReserved }: EventPart): void {
    this.reservations.push(...reservations);
    this.seatsReserved.push(...seatsReserved);
  }

  readonly openSink = async (): Promise<EventSink> => {
    if (this.isDown) throw new Error('connection refused');
    this.sinksOpened += 1;
    this.sinksOpen += 1;
    this.isLost = false;
    let isFailed = false;
    const brokers = this;
    return {
      get isLost() {
        return brokers.isLost;
      },
      async send(part) {
        if (isFailed) throw new Error('a sink that has failed is used again');
        brokers.parts.push(part);
        try {
          await brokers.onSend(part);
        } catch (error) {
          isFailed = true;
          throw error;
        }
      },
      async close() {
        brokers.sinksOpen -= 1;
      },
    };
  };
}

export class PublishingStage {
  readonly clock = new ManualClock();
  readonly source = new StageSource();
  readonly brokers = new StageBrokers();
  readonly told: string[] = [];
  asleep = 0;
  readonly #committer = new Committer(this.source.store);
  loop = this.#newLoop();
  #running: Promise<void> = Promise.resolve();

  async claim(): Promise<void> {
    await this.#committer.claim(1, 2, 3);
  }

  async commit(...journals: ScheduleJournal[]): Promise<void> {
    await this.#committer.commit(...journals.flatMap((journal) => journal.newRows()));
  }

  #newLoop(): PublishingLoop {
    const observer: PublishingObserver = {
      onConnection: (isConnected) => this.told.push(isConnected ? 'connected' : 'disconnected'),
      onFailure: (step, error) => this.told.push(`${step}: ${(error as Error).message}`),
      onStoppedSchedule: ({ scheduleId, seq, reason }) => this.told.push(`${scheduleId}-${seq}: ${reason}`),
      onAsleep: () => {
        this.asleep += 1;
      },
    };
    const { source, clock } = this;
    return new PublishingLoop({ source, openSink: this.brokers.openSink, clock, observer });
  }

  /** Begins, as a worker that has just started. */
  async start(): Promise<void> {
    this.loop = this.#newLoop();
    this.#running = this.loop.run();
    await this.clock.settle();
  }

  async stop(): Promise<void> {
    this.loop.stop();
    await this.#running;
  }

  /** Commits, wakes, and lets it gather. */
  async publish(...journals: ScheduleJournal[]): Promise<void> {
    await this.commit(...journals);
    this.loop.wake();
    await this.clock.advance(20);
  }

  async backlog(): Promise<number> {
    return (await this.source.store.readUnpublished(0)).backlogEvents;
  }
}

export const idsOf = (messages: readonly EventMessage[]): string[] =>
  messages.map(({ headers }) => String(headers['ce_id']));

/** The first delivery of each event, by schedule; what comes before its turn is a gap or out of order. */
export function firstDeliveries(messages: readonly EventMessage[]): Map<number, number[]> {
  const first = new Map<number, number[]>();
  for (const id of idsOf(messages)) {
    const [scheduleId, seq] = id.split('-').map(Number) as [number, number];
    const seqs = first.get(scheduleId) ?? [];
    first.set(scheduleId, seqs);
    if (!seqs.includes(seq)) seqs.push(seq);
  }
  return first;
}

export const upTo = (seq: number): number[] => Array.from({ length: seq }, (_, i) => i + 1);
