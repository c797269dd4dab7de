import { gzip } from 'node:zlib';
import { LRUCache } from 'lru-cache';
import type { ScheduleId } from '../../actors/allocator/ids.ts';
import type { AvailabilityView } from '../../actors/runtime/availability-view.ts';

/** The free seats as of `seq`, as they are sent. */
export interface SeqBody {
  readonly seq: number;
  readonly bytes: Uint8Array;
  readonly isGzipped: boolean;
}

/**
 * The bodies of available/seat, each made once a seq, however many ask for it.
 *
 * The views are the runtime's and change under us: a body is good while its seq is the view's. What is kept
 * is bounded by an estimate from the number of seats; the schedules asked for least lately go first.
 */
const keptBytesMax = 128 * 1024 * 1024;
/** Ids of about ten characters, as JSON, in the view's cache and gzipped; and the bitmaps. */
const bytesPerSeat = 40;

export class AvailabilityBodies {
  readonly #kept = new LRUCache<ScheduleId, ScheduleBodies>({
    maxSize: keptBytesMax,
    sizeCalculation: ({ view }) => 1_000 + view.capacity * bytesPerSeat,
  });

  /** @param view what the runtime has just answered for the schedule. */
  of(scheduleId: ScheduleId, view: AvailabilityView): ScheduleBodies {
    const kept = this.#kept.get(scheduleId);
    if (kept?.view === view) return kept;
    const bodies: ScheduleBodies = {
      view,
      json: new Representation(view, () => Buffer.from(toJson(scheduleId, view))),
      bitmap: new Representation(view, () => view.toBitmap()),
    };
    this.#kept.set(scheduleId, bodies);
    return bodies;
  }
}

interface ScheduleBodies {
  readonly view: AvailabilityView;
  readonly json: Representation;
  readonly bitmap: Representation;
}

interface Compression {
  readonly seq: number;
  readonly waiting: ((body: SeqBody) => void)[];
}

export class Representation {
  readonly #view: AvailabilityView;
  readonly #write: () => Uint8Array;
  #plain: SeqBody | undefined;
  #gzipped: SeqBody | undefined;
  #underWay: Compression | undefined;
  /** They asked for a seq newer than the one that is being compressed. */
  #waitingForNext: ((body: SeqBody) => void)[] = [];

  constructor(view: AvailabilityView, write: () => Uint8Array) {
    this.#view = view;
    this.#write = write;
  }

  plain(): SeqBody {
    const { seq } = this.#view;
    if (this.#plain?.seq === seq) return this.#plain;
    const body = { seq, bytes: this.#write(), isGzipped: false };
    this.#plain = body;
    return body;
  }

  /**
   * Never older than the view at the time of the call. One compression at a time: those who come meanwhile
   * share the next, so that a drop costs one a round and not one a request. `done` must not throw.
   */
  gzipped(done: (body: SeqBody) => void): void {
    const { seq } = this.#view;
    if (this.#gzipped?.seq === seq) done(this.#gzipped);
    else if (this.#underWay === undefined) this.#compress([done]);
    else if (this.#underWay.seq === seq) this.#underWay.waiting.push(done);
    else this.#waitingForNext.push(done);
  }

  #compress(waiting: ((body: SeqBody) => void)[]): void {
    const plain = this.plain();
    this.#underWay = { seq: plain.seq, waiting };
    gzip(plain.bytes, { level: 1 }, (error, bytes) => {
      this.#underWay = undefined;
      const body = error === null ? { seq: plain.seq, bytes, isGzipped: true } : plain;
      if (body.isGzipped) this.#gzipped = body;
      const next = this.#waitingForNext;
      this.#waitingForNext = [];
      if (next.length > 0) this.#compress(next);
      for (const done of waiting) done(body);
    });
  }
}

const toJson = (scheduleId: ScheduleId, view: AvailabilityView): string =>
  `{"scheduleId":${scheduleId},"seq":${view.seq},"capacity":${view.capacity}` +
  `,"available":${view.available},"seatIds":${view.toSeatIdsJson()}}`;
