import { MySqlFault } from './mysql-fault.ts';
import { MySqlSession, type SessionOptions } from './session.ts';

export interface SessionPoolOptions {
  readonly name: string;
  readonly session: SessionOptions;
  readonly connectionsMax: number;
  /** Callers that wait for a connection; one more is refused at once. */
  readonly waitingMax: number;
  /** A caller waits so long for a connection, its opening included. */
  readonly waitLimitMs: number;
}

/** Numbers of a pool, for metrics. */
export interface SessionPoolStats {
  readonly pool: string;
  readonly connectionsMax: number;
  readonly inUse: number;
  readonly waiting: number;
  readonly timeouts: number;
  readonly gets: number;
  readonly getSeconds: number;
}

interface Waiter {
  readonly take: (session: MySqlSession | Promise<MySqlSession>) => void;
}

/**
 * Connections for short reads. mysql2's own pool has no limit on how long a caller waits, and tells nothing of
 * its queue; what is left after adding both is this: sessions that are free, callers that wait, first come first
 * served. A session that was lost makes room for a new one.
 */
export class SessionPool {
  readonly #options: SessionPoolOptions;
  readonly #free: MySqlSession[] = [];
  readonly #waiting: Waiter[] = [];
  #inUse = 0;
  #timeouts = 0;
  #gets = 0;
  #getSeconds = 0;
  #isClosed = false;

  constructor(options: SessionPoolOptions) {
    this.#options = options;
  }

  stats(): SessionPoolStats {
    return {
      pool: this.#options.name,
      connectionsMax: this.#options.connectionsMax,
      inUse: this.#inUse,
      waiting: this.#waiting.length,
      timeouts: this.#timeouts,
      gets: this.#gets,
      getSeconds: this.#getSeconds,
    };
  }

  /** Rejects with MySqlFault. */
  async use<T>(work: (session: MySqlSession) => Promise<T>): Promise<T> {
    const session = await this.#get();
    try {
      return await work(session);
    } finally {
      this.#release(session);
    }
  }

  /** Callers that wait are refused; sessions in use end when they are given back. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { take } of this.#waiting.splice(0)) take(Promise.reject(closed()));
    await Promise.all(this.#free.splice(0).map((session) => session.end()));
  }

  async #get(): Promise<MySqlSession> {
    const startedMs = performance.now();
    const { promise: session, resolve } = Promise.withResolvers<MySqlSession>();
    const waiter: Waiter = { take: resolve };
    const limit = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      this.#abandon(waiter, session);
      const { name, waitLimitMs } = this.#options;
      const message = `no connection of the pool "${name}" within ${waitLimitMs} ms`;
      limit.reject(new MySqlFault('unavailable', message, {}));
    }, this.#options.waitLimitMs);
    try {
      this.#enter(waiter);
      return await Promise.race([session, limit.promise]);
    } finally {
      clearTimeout(timer);
      this.#gets += 1;
      this.#getSeconds += (performance.now() - startedMs) / 1000;
    }
  }

  /** Nobody waits for it any more: what is still coming goes back to the pool. */
  #abandon(waiter: Waiter, session: Promise<MySqlSession>): void {
    this.#timeouts += 1;
    const index = this.#waiting.indexOf(waiter);
    if (index >= 0) this.#waiting.splice(index, 1);
    session.then(
      (late) => this.#release(late),
      () => {},
    );
  }

  #enter(waiter: Waiter): void {
    const { connectionsMax, waitingMax, name } = this.#options;
    if (this.#isClosed) throw closed();
    if (this.#inUse < connectionsMax) return this.#serve(waiter);
    if (this.#waiting.length >= waitingMax) {
      throw new MySqlFault('unavailable', `${waitingMax} callers wait for the pool "${name}" already`, {});
    }
    this.#waiting.push(waiter);
  }

  #serve(waiter: Waiter): void {
    this.#inUse += 1;
    let session = this.#free.pop();
    while (session !== undefined && !session.isOpen) session = this.#free.pop();
    waiter.take(session ?? this.#open());
  }

  async #open(): Promise<MySqlSession> {
    try {
      return await MySqlSession.open(this.#options.session);
    } catch (error) {
      this.#leave();
      throw error;
    }
  }

  #release(session: MySqlSession): void {
    if (this.#isClosed) void session.end();
    else if (session.isOpen) this.#free.push(session);
    this.#leave();
  }

  #leave(): void {
    this.#inUse -= 1;
    const next = this.#waiting.shift();
    if (next !== undefined) this.#serve(next);
  }
}

const closed = () => new MySqlFault('unavailable', 'the store is closed', {});
