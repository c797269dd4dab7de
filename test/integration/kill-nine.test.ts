import { describe, expect, test } from 'vitest';
import { createHall } from './small-hall.ts';
import { temporaryDirectory, UsherProcess } from './usher-process.ts';

/**
 * 40 clients fight for 500 seats while the process is killed with SIGKILL 20 times, at random. Afterwards:
 * every 201 that a client saw is there with the same body, no seat has two holders, and nothing is there
 * that no client asked for (I1, I2, I8, I10, I11).
 */
const clientCount = 40;
const killCount = 20;
const seed = Number(process.env['KILL_SEED'] ?? Date.now() % 1_000_000);

interface Booking {
  readonly user: string;
  readonly key: string;
  readonly seatIds: readonly string[];
  /** Body of the first 201; undefined while none was seen. */
  readonly body: string;
}

describe('kill -9 in the middle of a sale', () => {
  test(`20 kills lose nothing and sell nothing twice (KILL_SEED=${seed})`, async () => {
    const random = mulberry32(seed);
    const directory = temporaryDirectory();
    let usher = await UsherProcess.start(directory.path);
    try {
      const { scheduleId, seatIds } = await createHall(usher, { rows: 25, seatsPerRow: 20 });
      const sale = new Sale(scheduleId, seatIds, random);
      for (let client = 0; client < clientCount; client++) await sale.join(usher, `buyer-${client}`);
      const buyers = sale.users.map((user) => sale.run(user, () => usher));

      for (let kill = 0; kill < killCount; kill++) {
        await sleep(20 + random() * 250);
        await usher.stop('SIGKILL');
        usher = await UsherProcess.start(directory.path);
      }
      await sleep(300);
      sale.isOver = true;
      await Promise.all(buyers);

      await sale.settleUnanswered(usher);
      expect(sale.seen.length, 'the clients got seats between the kills').toBeGreaterThan(50);
      const holderOf = new Map<string, string>();
      for (const booking of sale.seen) {
        const { reservationId } = JSON.parse(booking.body) as { reservationId: string };
        const replay = await sale.reserve(usher, booking.user, booking.key, booking.seatIds);
        expect(replay.headers.get('idempotency-replayed')).toBe('true');
        expect(await replay.text(), `the 201 of ${reservationId} is there with the same body`).toBe(
          booking.body,
        );
        for (const seatId of booking.seatIds) {
          expect(holderOf.get(seatId), `seat ${seatId} has one holder`).toBeUndefined();
          holderOf.set(seatId, reservationId);
        }
      }
      const available = (await (
        await fetch(`${usher.publicUrl}/reservations/available/seat?scheduleId=${scheduleId}`)
      ).json()) as { seatIds: string[] };
      expect(new Set(available.seatIds)).toEqual(new Set(seatIds.filter((seatId) => !holderOf.has(seatId))));

      const audit = (await (await usher.admin('GET', `/admin/schedules/${scheduleId}/audit`)).json()) as {
        ok: boolean;
      };
      expect(audit).toMatchObject({ ok: true });
    } finally {
      await usher.stop('SIGKILL');
      directory.remove();
    }
  });
});

/** The clients' side: what they asked for and what they saw. */
class Sale {
  isOver = false;
  readonly seen: Booking[] = [];
  readonly #unanswered: Omit<Booking, 'body'>[] = [];
  readonly #tokens = new Map<string, string>();
  readonly #scheduleId: number;
  readonly #seatIds: readonly string[];
  readonly #random: () => number;

  constructor(scheduleId: number, seatIds: readonly string[], random: () => number) {
    this.#scheduleId = scheduleId;
    this.#seatIds = seatIds;
    this.#random = random;
  }

  get users(): readonly string[] {
    return [...this.#tokens.keys()];
  }

  async join(usher: UsherProcess, user: string): Promise<void> {
    this.#tokens.set(user, await usher.token(user));
  }

  /** Buys one or two random seats after another; a lost answer is asked for again later. */
  async run(user: string, current: () => UsherProcess): Promise<void> {
    for (let n = 0; !this.isOver; n++) {
      const key = `${user}-${n}`;
      const seatIds = this.#pick();
      try {
        const response = await this.reserve(current(), user, key, seatIds);
        const body = await response.text();
        if (response.status === 201) this.seen.push({ user, key, seatIds, body });
        else if (response.status !== 409) this.#unanswered.push({ user, key, seatIds });
      } catch {
        this.#unanswered.push({ user, key, seatIds });
      }
      await sleep(this.#random() * 20);
    }
  }

  /** Requests that died with the process get their true outcome under the same key. */
  async settleUnanswered(usher: UsherProcess): Promise<void> {
    for (const request of this.#unanswered) {
      const response = await this.reserve(usher, request.user, request.key, request.seatIds);
      const body = await response.text();
      expect([201, 409], body).toContain(response.status);
      if (response.status === 201) this.seen.push({ ...request, body });
    }
  }

  reserve(usher: UsherProcess, user: string, key: string, seatIds: readonly string[]): Promise<Response> {
    return fetch(`${usher.publicUrl}/reservations`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${this.#tokens.get(user)}`,
        'content-type': 'application/json',
        'idempotency-key': key,
      },
      body: JSON.stringify({ scheduleId: this.#scheduleId, seatIds }),
    });
  }

  #pick(): readonly string[] {
    const first = Math.floor(this.#random() * this.#seatIds.length);
    const count = this.#random() < 0.5 ? 1 : 2;
    return this.#seatIds.slice(first, first + count);
  }
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Mulberry32 (Tommy Ettinger, public domain). */
function mulberry32(state: number): () => number {
  let a = state;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
