import type { UsherProcess } from './usher-process.ts';

export interface Told {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: what a test expects of it, it says itself
  readonly body: any;
}

/** One user of a shop: holds, pays, looks. The node may be another one each time. */
export class Buyer {
  readonly userId: string;
  readonly #token: string;

  private constructor(userId: string, token: string) {
    this.userId = userId;
    this.#token = token;
  }

  static async of(usher: UsherProcess, userId: string): Promise<Buyer> {
    return new Buyer(userId, await usher.token(userId));
  }

  async call(
    usher: UsherProcess,
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    body?: object,
    key?: string,
  ): Promise<Told> {
    const response = await fetch(usher.publicUrl + path, {
      method,
      headers: {
        authorization: `Bearer ${this.#token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(key === undefined ? {} : { 'idempotency-key': key }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: text === '' ? {} : JSON.parse(text),
    };
  }

  /** @returns the reservation's id. */
  async hold(usher: UsherProcess, scheduleId: number, ...seatIds: readonly string[]): Promise<string> {
    const { status, text, body } = await this.call(usher, 'POST', '/reservations', { scheduleId, seatIds });
    if (status !== 201) throw new Error(`hold ${seatIds}: ${status} ${text}`);
    return body.reservationId;
  }

  /** By points where there is no card. */
  pay(usher: UsherProcess, reservationId: string, cardToken?: string, key?: string): Promise<Told> {
    const way = cardToken === undefined ? { method: 'points' } : { method: 'card', cardToken };
    return this.call(usher, 'POST', '/reservations/pay', { reservationId, ...way }, key);
  }

  charge(usher: UsherProcess, amount: unknown, key: string): Promise<Told> {
    return this.call(usher, 'POST', '/points/charge', { amount }, key);
  }

  async balance(usher: UsherProcess): Promise<number> {
    return (await this.call(usher, 'GET', '/points/balance')).body.balance;
  }

  /** All of them, newest first. */
  async entries(
    usher: UsherProcess,
  ): Promise<readonly { kind: string; amount: number; balanceAfter: number }[]> {
    const found = [];
    for (let cursor = ''; ; ) {
      const { body } = await this.call(usher, 'GET', `/points/entries?limit=100${cursor}`);
      found.push(...body.entries);
      if (body.nextCursor === null) return found;
      cursor = `&cursor=${encodeURIComponent(body.nextCursor)}`;
    }
  }

  async read(usher: UsherProcess, reservationId: string): Promise<Told['body']> {
    return (await this.call(usher, 'GET', `/reservations/${reservationId}`)).body;
  }

  /** Asks until the reservation is in another status, for so long. */
  async settled(
    usher: UsherProcess,
    reservationId: string,
    status: string,
    limitMs: number,
  ): Promise<Told['body']> {
    const deadlineMs = Date.now() + limitMs;
    for (;;) {
      const reservation = await this.read(usher, reservationId);
      if (reservation.status !== status || Date.now() > deadlineMs) return reservation;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** The faults that the audit of a schedule finds; none is good. */
export async function auditFaults(usher: UsherProcess, scheduleId: number): Promise<readonly string[]> {
  const answer = await usher.admin('GET', `/admin/schedules/${scheduleId}/audit`);
  const { checks } = (await answer.json()) as {
    checks: readonly { invariant: string; ok: boolean; detail: string }[];
  };
  if (!checks.some(({ invariant }) => invariant === 'I5')) return ['the audit has no I5'];
  return checks.filter(({ ok }) => !ok).map(({ invariant, detail }) => `${invariant}: ${detail}`);
}

export interface SandboxCharge {
  readonly paymentId: string;
  readonly amount: number;
  readonly refunds: readonly unknown[];
}

/** What the sandbox has charged, by reservation. */
export async function chargesOf(
  sandboxUrl: string,
  reservationId: string,
): Promise<readonly SandboxCharge[]> {
  const answer = await fetch(`${sandboxUrl}/sandbox/charges`);
  const { charges } = (await answer.json()) as { charges: readonly SandboxCharge[] };
  return charges.filter(({ paymentId }) => paymentId.startsWith(`${reservationId}-`));
}
