import { expect } from 'vitest';
import { auditFaults, Buyer, type Told } from './buyer.ts';
import { createSchedule } from './small-hall.ts';
import type { UsherProcess } from './usher-process.ts';

const chargedMinor = 10_000_000;
const priceMinor = 4_500;
/** Whoever has paid for all others goes on with these, and cancels. */
const seatsKept = 3;

interface PayersOptions {
  /** Asked for each request. */
  readonly node: () => UsherProcess;
  readonly performanceId: number;
  readonly seatIds: readonly string[];
  readonly count: number;
}

/**
 * Users who hold, look, pay by points and cancel, in a schedule where nobody is in their way. They send no
 * Idempotency-Key and ask nothing twice: what is not answered as it should be has failed.
 */
export class Payers {
  readonly scheduleId: number;
  readonly failures: string[] = [];
  paid = 0;
  readonly #options: PayersOptions;
  readonly #payers: readonly Payer[];
  #working: Promise<unknown> = Promise.resolve();
  #isOver = false;

  private constructor(scheduleId: number, options: PayersOptions, payers: readonly Payer[]) {
    this.scheduleId = scheduleId;
    this.#options = options;
    this.#payers = payers;
  }

  static async open(options: PayersOptions): Promise<Payers> {
    const { node, performanceId, seatIds, count } = options;
    const scheduleId = await createSchedule(node(), { performanceId });
    const share = Math.floor(seatIds.length / count);
    const payers = await Promise.all(
      Array.from({ length: count }, async (_, index) => {
        const buyer = await Buyer.of(node(), `payer-${scheduleId}-${index}`);
        await buyer.charge(node(), chargedMinor, 'first');
        return { buyer, freeSeatIds: seatIds.slice(index * share, (index + 1) * share), paidSeatIds: [] };
      }),
    );
    return new Payers(scheduleId, options, payers);
  }

  begin(): void {
    this.#working = Promise.all(this.#payers.map((payer) => this.#work(payer)));
  }

  /** Resolves when each has its last answer. */
  async end(): Promise<void> {
    this.#isOver = true;
    await this.#working;
  }

  /** Each was charged for what they have, and for nothing else. */
  async expectSettled(node: UsherProcess): Promise<void> {
    for (const { buyer, paidSeatIds } of this.#payers) {
      expect(await buyer.balance(node)).toBe(chargedMinor - paidSeatIds.length * priceMinor);
    }
    const free = await this.#freeSeats(node);
    for (const { freeSeatIds, paidSeatIds } of this.#payers) {
      expect(paidSeatIds.filter((seatId) => free.has(seatId))).toEqual([]);
      expect(freeSeatIds.filter((seatId) => !free.has(seatId))).toEqual([]);
    }
    expect(await auditFaults(node, this.scheduleId)).toEqual([]);
  }

  async #work(payer: Payer): Promise<void> {
    const { buyer, freeSeatIds } = payer;
    try {
      for (let turn = 0; !this.#isOver; turn += 1) {
        const seatId = freeSeatIds.shift() as string;
        const isPaying = turn % 3 === 0 && freeSeatIds.length > seatsKept;
        await this.#buy(payer, seatId, isPaying);
      }
    } catch (error) {
      this.failures.push(`${buyer.userId}: ${(error as Error).message}`);
    }
  }

  async #buy({ buyer, freeSeatIds, paidSeatIds }: Payer, seatId: string, isPaying: boolean): Promise<void> {
    const { scheduleId } = this;
    const { node } = this.#options;
    const body = { scheduleId, seatIds: [seatId] };
    const held = expected(201, await buyer.call(node(), 'POST', '/reservations', body));
    const { reservationId, seq } = held.body;
    const path = `/reservations/${reservationId}`;
    expectStatus('HELD', await buyer.call(node(), 'GET', path));
    await this.#expectSeen(seq, seatId);
    if (isPaying) {
      const paid = await buyer.pay(node(), reservationId);
      // While its shard is handed over, who waits for a payment is told that it goes on.
      expected(paid.status === 202 ? 202 : 200, paid);
      const { status } = await buyer.settled(node(), reservationId, 'PAYING', 5_000);
      if (status !== 'PAID') throw new Error(`${reservationId} is ${status}`);
      paidSeatIds.push(seatId);
      this.paid += 1;
    } else {
      expected(204, await buyer.call(node(), 'DELETE', path));
      expectStatus('CANCELLED', await buyer.call(node(), 'GET', path));
      freeSeatIds.push(seatId);
    }
  }

  /** Whichever node is asked: no seat is free that was taken by the `seq` that the answer states. */
  async #expectSeen(seq: number, seatId: string): Promise<void> {
    const answer = await fetch(this.#seatsUrl(this.#options.node()));
    if (answer.status !== 200) throw new Error(`free seats: ${answer.status} ${await answer.text()}`);
    const seats = (await answer.json()) as { seq: number; seatIds: readonly string[] };
    if (seats.seq >= seq && seats.seatIds.includes(seatId)) {
      throw new Error(`${seatId} is free at seq ${seats.seq}, and held since ${seq}`);
    }
  }

  async #freeSeats(node: UsherProcess): Promise<ReadonlySet<string>> {
    const answer = await fetch(this.#seatsUrl(node));
    return new Set(((await answer.json()) as { seatIds: string[] }).seatIds);
  }

  #seatsUrl(node: UsherProcess): string {
    return `${node.publicUrl}/reservations/available/seat?scheduleId=${this.scheduleId}`;
  }
}

interface Payer {
  readonly buyer: Buyer;
  readonly freeSeatIds: string[];
  readonly paidSeatIds: string[];
}

function expected(status: number, told: Told): Told {
  if (told.status !== status) throw new Error(`${told.status} for ${status}: ${told.text}`);
  return told;
}

function expectStatus(status: string, told: Told): void {
  if (expected(200, told).body.status !== status) throw new Error(`not ${status}: ${told.text}`);
}
