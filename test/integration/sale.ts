import { setTimeout as delay } from 'node:timers/promises';
import type { Prng } from '../simulation/prng.ts';
import { noSetbacks, PatientBuyer } from './patient-buyer.ts';
import { createHall, createSchedule } from './small-hall.ts';
import type { UsherProcess } from './usher-process.ts';

/** A 201 that a client saw. */
export interface Booking {
  readonly buyer: PatientBuyer;
  readonly key: string;
  readonly scheduleId: number;
  readonly seatIds: readonly string[];
  /** Of the 201. */
  readonly text: string;
  readonly reservationId: string;
  readonly seq: number;
  /** Kept up by the whims. */
  isCancelled: boolean;
}

/** What a client does with what it has just got. */
export type Whim = (booking: Booking) => Promise<void>;

interface SaleOptions {
  /** The node that clients ask now. */
  readonly node: () => UsherProcess;
  readonly prng: Prng;
  /** In all of its schedules. Default 500. */
  readonly seatCount?: number;
  /** Default 1. */
  readonly scheduleCount?: number;
  /** Made before those that are sold: their ids are somebody else's in a broker that they share. Default 0. */
  readonly otherSchedules?: number;
  /** Default 40. */
  readonly clientCount?: number;
  readonly thinkMsMax?: number;
  /** Called for each client. Default: it keeps five reservations, and gives the oldest back for a new one. */
  readonly newWhim?: () => Whim;
}

/**
 * The clients' side of a sale: they fight for seats, one seat or two at random at a time, and each asks again until
 * it is answered. So what they know is certain.
 */
export class Sale {
  readonly performanceId: number;
  readonly scheduleIds: readonly number[];
  /** Of each schedule, in bit order. */
  readonly seatIds: readonly string[];
  readonly bookings: Booking[] = [];
  readonly setbacks = noSetbacks();
  readonly #options: SaleOptions;
  #clients: Promise<unknown> = Promise.resolve();
  #isOver = false;

  private constructor(
    options: SaleOptions,
    hall: { performanceId: number; scheduleIds: readonly number[]; seatIds: readonly string[] },
  ) {
    this.#options = options;
    this.performanceId = hall.performanceId;
    this.scheduleIds = hall.scheduleIds;
    this.seatIds = hall.seatIds;
  }

  /** Puts a hall on sale. */
  static async open(options: SaleOptions): Promise<Sale> {
    const { node, scheduleCount = 1, otherSchedules = 0, seatCount = 500 } = options;
    const hall = await createHall(node(), { rows: seatCount / scheduleCount / 20, seatsPerRow: 20 });
    const scheduleIds = [hall.scheduleId];
    while (scheduleIds.length < otherSchedules + scheduleCount) {
      scheduleIds.push(await createSchedule(node(), { performanceId: hall.performanceId }));
    }
    return new Sale(options, { ...hall, scheduleIds: scheduleIds.slice(otherSchedules) });
  }

  /** More clients; `name` is theirs. */
  async begin(name = 'buyer'): Promise<void> {
    const { node, clientCount = 40 } = this.#options;
    const names = Array.from({ length: clientCount }, (_, client) => `${name}-${client}`);
    const buyers = await Promise.all(names.map((each) => PatientBuyer.of(each, node, this.setbacks)));
    this.#clients = Promise.all([this.#clients, ...buyers.map((buyer) => this.#buy(buyer))]);
    // Whoever ends the sale hears of it.
    this.#clients.catch(() => {});
  }

  /** Resolves when every client has its last answer. */
  async end(): Promise<void> {
    this.#isOver = true;
    await this.#clients;
  }

  /** Resolves when so many more seats were sold. */
  async hasSold(bookings: number): Promise<void> {
    const wanted = this.bookings.length + bookings;
    while (this.bookings.length < wanted) {
      await Promise.race([delay(5), this.#clients]);
      if (this.#isOver) throw new Error('the sale is over');
    }
  }

  async #buy(buyer: PatientBuyer): Promise<void> {
    const { prng, thinkMsMax = 60, newWhim = keepingFive } = this.#options;
    const whim = newWhim();
    for (let n = 0; !this.#isOver; n++) {
      const booking = await this.#book(buyer, `${buyer.userId}-${n}`);
      if (booking !== undefined) await whim(booking);
      await delay(prng.below(thinkMsMax));
    }
  }

  /** Undefined when the seats are not free. */
  async #book(buyer: PatientBuyer, key: string): Promise<Booking | undefined> {
    const { prng } = this.#options;
    const scheduleId = prng.pick(this.scheduleIds);
    const first = prng.below(this.seatIds.length);
    const seatIds = this.seatIds.slice(first, first + prng.between(1, 2));
    const { status, text, body } = await buyer.post('/reservations', { scheduleId, seatIds }, key);
    if (status === 409 && body.code === 'seats-taken') return undefined;
    if (status !== 201) throw new Error(`${key}: ${status} ${text}`);
    const { reservationId, seq } = body;
    const booking = { buyer, key, scheduleId, seatIds, text, reservationId, seq, isCancelled: false };
    this.bookings.push(booking);
    return booking;
  }
}

/** Enough seats are taken that clients fight, and enough are free that there is always a sale. */
function keepingFive(): Whim {
  const own: Booking[] = [];
  return async (booking) => {
    own.push(booking);
    if (own.length > 5) await cancel(own.shift()!);
  };
}

export async function cancel(booking: Booking): Promise<void> {
  booking.isCancelled = true;
  const { status, text } = await booking.buyer.cancel(booking.reservationId);
  if (status !== 204) throw new Error(`DELETE ${booking.reservationId}: ${status} ${text}`);
}
