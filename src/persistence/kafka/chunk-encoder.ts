import type { ScheduleEvent } from '../../actors/allocator/event.ts';
import type { ReservationRef, ScheduleId } from '../../actors/allocator/ids.ts';
import { decodeEvent } from '../../actors/runtime/event-codec.ts';
import type { JournalColumns } from '../journal-columns.ts';
import {
  type EventMessage,
  isReservationEvent,
  messageOverheadBytes,
  reservationMessage,
  type ScheduleFacts,
  seatReservedMessage,
  seatsMessage,
} from './cloud-event.ts';
import type { EventPart } from './event-sink.ts';
import type { KnownReservations } from './known-reservations.ts';
import type { KnownSchedules } from './known-schedules.ts';

/** Journal rows to messages, in their order. */
export class ChunkEncoder {
  readonly #reservations: KnownReservations;
  readonly #schedules: KnownSchedules;
  readonly #nowMs: () => number;

  constructor(reservations: KnownReservations, schedules: KnownSchedules, nowMs: () => number) {
    this.#reservations = reservations;
    this.#schedules = schedules;
    this.#nowMs = nowMs;
  }

  /**
   * Reads the rows and asks for what they do not say. Rows of schedules that `isSkipped` are left out. Rejects
   * when the store cannot be asked.
   */
  async prepare(
    rows: JournalColumns,
    isSkipped: (scheduleId: ScheduleId) => boolean,
  ): Promise<PreparedChunk> {
    const faults = new Map<ScheduleId, ScheduleFault>();
    const events: PreparedEvent[] = [];
    const refs: ReservationRef[] = [];
    const schedules = new Map<ScheduleId, ScheduleFacts | undefined>();
    for (let i = 0; i < rows.count; i++) {
      const scheduleId = rows.scheduleId[i]!;
      if (faults.has(scheduleId) || isSkipped(scheduleId)) continue;
      const seq = rows.seq[i]!;
      try {
        const row = { seq, atMs: rows.atMs[i]!, type: rows.type[i]!, payload: rows.payload[i]! };
        const event = decodeEvent(row);
        if (event.type === 'held') this.#reservations.learn(scheduleId, event);
        else if (isReservationEvent(event)) refs.push({ scheduleId, number: event.number });
        events.push({ scheduleId, event });
        schedules.set(scheduleId, undefined);
      } catch (error) {
        faults.set(scheduleId, { scheduleId, seq, reason: (error as Error).message });
      }
    }
    const projectionFault = await this.#reservations.lookUp(refs);
    for (const scheduleId of schedules.keys()) {
      schedules.set(scheduleId, await this.#schedules.find(scheduleId));
    }
    return new PreparedChunk(events, faults, (event) => this.#encode(event, schedules, projectionFault));
  }

  #encode(
    { scheduleId, event }: PreparedEvent,
    schedules: ReadonlyMap<ScheduleId, ScheduleFacts | undefined>,
    projectionFault: string | undefined,
  ): EncodedEvent {
    const schedule = schedules.get(scheduleId);
    if (schedule === undefined) throw new Error('its schedule or venue is not in the catalogue');
    const nowMs = this.#nowMs();
    if (!isReservationEvent(event)) {
      return { reservation: seatsMessage(scheduleId, event, schedule, nowMs), seatReserved: undefined };
    }
    const facts = this.#reservations.get(scheduleId, event);
    if (facts === undefined) {
      const why =
        projectionFault === undefined ? '' : `, which could not be brought up to date: ${projectionFault}`;
      throw new Error(`reservation ${scheduleId}-${event.number} is in no projection${why}`);
    }
    return {
      reservation: reservationMessage(scheduleId, event, schedule, facts, nowMs),
      seatReserved:
        event.type === 'held' ? seatReservedMessage(scheduleId, event, schedule, nowMs) : undefined,
    };
  }
}

/** Why a schedule can be published no further: nothing of it from `seq` on. */
export interface ScheduleFault {
  readonly scheduleId: ScheduleId;
  readonly seq: number;
  readonly reason: string;
}

interface PreparedEvent {
  readonly scheduleId: ScheduleId;
  readonly event: ScheduleEvent;
}

interface EncodedEvent {
  readonly reservation: EventMessage;
  readonly seatReserved: EventMessage | undefined;
}

/** Events that are about to be sent. They become messages only when it is their turn. */
class PreparedChunk {
  readonly #events: readonly PreparedEvent[];
  readonly #faults: Map<ScheduleId, ScheduleFault>;
  readonly #encode: (event: PreparedEvent) => EncodedEvent;

  constructor(
    events: readonly PreparedEvent[],
    faults: Map<ScheduleId, ScheduleFault>,
    encode: (event: PreparedEvent) => EncodedEvent,
  ) {
    this.#events = events;
    this.#faults = faults;
    this.#encode = encode;
  }

  /** Complete when all parts were taken. */
  get faults(): Iterable<ScheduleFault> {
    return this.#faults.values();
  }

  /**
   * The events in their order, in parts of at most `partEventsMax`, and of at most `partBytesMax` a topic; a larger
   * event is a part of its own. An event that cannot be told ends its schedule's: a hole would be worse than to wait.
   */
  *parts(partBytesMax: number): Generator<EventPart> {
    let part = new GrowingPart(partBytesMax);
    for (const prepared of this.#events) {
      const { scheduleId, event } = prepared;
      if (event.seq >= (this.#faults.get(scheduleId)?.seq ?? Number.POSITIVE_INFINITY)) continue;
      let encoded: EncodedEvent;
      try {
        encoded = this.#encode(prepared);
      } catch (error) {
        this.#faults.set(scheduleId, { scheduleId, seq: event.seq, reason: (error as Error).message });
        continue;
      }
      if (!part.hasRoomFor(encoded)) {
        yield part;
        part = new GrowingPart(partBytesMax);
      }
      part.add(prepared, encoded);
    }
    if (part.events > 0) yield part;
  }
}

class GrowingPart implements EventPart {
  readonly reservations: EventMessage[] = [];
  readonly seatsReserved: EventMessage[] = [];
  readonly positions = new Map<ScheduleId, number>();
  events = 0;
  readonly #bytesMax: number;
  #reservationBytes = 0;
  #seatReservedBytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get bytes(): number {
    return Math.max(this.#reservationBytes, this.#seatReservedBytes);
  }

  get isOversize(): boolean {
    return this.bytes > this.#bytesMax;
  }

  hasRoomFor({ reservation, seatReserved }: EncodedEvent): boolean {
    const fits =
      this.events < partEventsMax &&
      this.#reservationBytes + bytesOf(reservation) <= this.#bytesMax &&
      this.#seatReservedBytes + bytesOf(seatReserved) <= this.#bytesMax;
    return fits || this.events === 0;
  }

  add({ scheduleId, event }: PreparedEvent, { reservation, seatReserved }: EncodedEvent): void {
    this.reservations.push(reservation);
    this.#reservationBytes += bytesOf(reservation);
    if (seatReserved !== undefined) this.seatsReserved.push(seatReserved);
    this.#seatReservedBytes += bytesOf(seatReserved);
    this.positions.set(scheduleId, event.seq);
    this.events += 1;
  }
}

const bytesOf = (message: EventMessage | undefined): number =>
  message === undefined ? 0 : message.value.length + messageOverheadBytes;

/** kafkajs takes quadratic time to sort a part into partitions: 0.3 ms for so many, 5 ms for four times as many. */
const partEventsMax = 500;
