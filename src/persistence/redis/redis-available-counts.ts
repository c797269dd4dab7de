import type { ScheduleId } from '../../actors/allocator/ids.ts';
import type { AvailableCounts } from '../../actors/runtime/available-counts.ts';
import type { Clock, TimerHandle } from '../../actors/runtime/ports.ts';
import { type Redis, RedisRefusal } from '../../redis/redis.ts';
import { countKey, publishCount, readCount } from './published-count.ts';

/**
 * Counts of free seats in Redis, one key a schedule.
 *
 * P1 Publishing costs a few writes to maps. Every `flushEveryMs` the newest count of each schedule that changed
 *    is sent, 500 at a time; what could not be sent waits for the next time, or for a newer count.
 * P2 A count never replaces one of a later event (published-count.ts).
 * P3 Every `refreshEveryMs` all counts are sent again: a Redis that comes back empty has them within that time,
 *    and those that nobody sends any more end `lifeMs` after they were sent.
 * P4 A count that was read is shown for `freshMs`, so that reading costs Redis the same whether one person looks
 *    at the dates or ten thousand. Reads of a schedule that is being asked for share the question.
 *
 * At most `schedulesMax` are kept to be sent, those that changed last, and as many that were read.
 */
export class RedisAvailableCounts implements AvailableCounts {
  readonly #options: RedisAvailableCountsOptions;
  /** What this node has told, the latest change last. */
  readonly #told = new Map<ScheduleId, ToldCount>();
  readonly #unsent = new Set<ScheduleId>();
  #flushTimer: TimerHandle | undefined;
  #refreshTimer: TimerHandle | undefined;
  readonly #read = new Map<ScheduleId, ReadCount>();
  readonly #asking = new Map<ScheduleId, Promise<void>>();
  #isClosed = false;

  constructor(options: RedisAvailableCountsOptions) {
    this.#options = options;
  }

  publish(scheduleId: ScheduleId, seq: number, available: number): void {
    const told = this.#told.get(scheduleId);
    if (this.#isClosed || (told !== undefined && told.seq > seq)) return;
    this.#told.delete(scheduleId);
    this.#told.set(scheduleId, { seq, available });
    this.#unsent.add(scheduleId);
    const [oldest] = this.#told.keys();
    if (oldest !== undefined && this.#told.size > (this.#options.schedulesMax ?? schedulesMaxDefault)) {
      this.#told.delete(oldest);
      this.#unsent.delete(oldest);
    }
    this.#flushLater();
    this.#refreshLater();
  }

  async read(scheduleIds: readonly ScheduleId[]): Promise<ReadonlyMap<ScheduleId, number>> {
    const { clock, observer } = this.#options;
    const askedAtMs = clock.monotonicMs();
    const stale = scheduleIds.filter((scheduleId) => !this.#isFresh(scheduleId, askedAtMs));
    if (stale.length > 0) await this.#refresh(stale);
    const counts = new Map<ScheduleId, number>();
    for (const scheduleId of scheduleIds) {
      const count = this.#isFresh(scheduleId, askedAtMs) ? this.#read.get(scheduleId) : undefined;
      if (count?.available !== undefined) counts.set(scheduleId, count.available);
      observer.onRequest(
        'available',
        count === undefined ? 'bypass' : count.available === undefined ? 'miss' : 'hit',
      );
    }
    return counts;
  }

  /** What is not sent by now is not sent. Redis stays open. */
  close(): void {
    this.#isClosed = true;
    this.#flushTimer?.cancel();
    this.#refreshTimer?.cancel();
  }

  #isFresh(scheduleId: ScheduleId, nowMs: number): boolean {
    const { freshMs = 200 } = this.#options;
    const count = this.#read.get(scheduleId);
    return count !== undefined && nowMs - count.readAtMs < freshMs;
  }

  /** Asks for those that nobody is asking for, and waits for all of them. */
  async #refresh(scheduleIds: readonly ScheduleId[]): Promise<void> {
    const unasked = scheduleIds.filter((scheduleId) => !this.#asking.has(scheduleId));
    for (let begin = 0; begin < unasked.length; begin += schedulesPerWriteMax) {
      const chunk = unasked.slice(begin, begin + schedulesPerWriteMax);
      const asking = this.#ask(chunk);
      for (const scheduleId of chunk) this.#asking.set(scheduleId, asking);
    }
    await Promise.all(new Set(scheduleIds.map((scheduleId) => this.#asking.get(scheduleId))));
  }

  async #ask(scheduleIds: readonly ScheduleId[]): Promise<void> {
    const { redis, clock, installationId, schedulesMax = schedulesMaxDefault } = this.#options;
    try {
      const replies = await redis.run(
        scheduleIds.map((scheduleId) => ({ command: 'get', keys: [countKey(installationId, scheduleId)] })),
      );
      if (this.#read.size + scheduleIds.length > schedulesMax) this.#read.clear();
      const readAtMs = clock.monotonicMs();
      for (const [index, scheduleId] of scheduleIds.entries()) {
        const reply = replies[index];
        if (reply instanceof RedisRefusal) continue;
        this.#read.set(scheduleId, { available: readCount(reply), readAtMs });
      }
    } catch {
      // Whoever asked goes by what it knows.
    } finally {
      for (const scheduleId of scheduleIds) this.#asking.delete(scheduleId);
    }
  }

  #flushLater(): void {
    if (this.#isClosed || this.#flushTimer !== undefined || this.#unsent.size === 0) return;
    const { clock, flushEveryMs = 200 } = this.#options;
    this.#flushTimer = clock.setTimer(flushEveryMs, () => {
      void this.#flush().then(() => {
        this.#flushTimer = undefined;
        this.#flushLater();
      });
    });
  }

  async #flush(): Promise<void> {
    const { redis, installationId, lifeMs = lifeMsDefault } = this.#options;
    if (!redis.isUsable) return;
    const sent = [...this.#unsent].slice(0, schedulesPerWriteMax);
    for (const scheduleId of sent) this.#unsent.delete(scheduleId);
    try {
      await redis.run(
        sent.map((scheduleId) => {
          const { seq, available } = this.#told.get(scheduleId) as ToldCount;
          const keys = [countKey(installationId, scheduleId)];
          return { command: publishCount, keys, args: [seq, available, lifeMs] };
        }),
      );
    } catch {
      for (const scheduleId of sent) if (this.#told.has(scheduleId)) this.#unsent.add(scheduleId);
    }
  }

  #refreshLater(): void {
    if (this.#isClosed || this.#refreshTimer !== undefined) return;
    const { clock, refreshEveryMs = 30_000 } = this.#options;
    this.#refreshTimer = clock.setTimer(refreshEveryMs, () => {
      this.#refreshTimer = undefined;
      for (const scheduleId of this.#told.keys()) this.#unsent.add(scheduleId);
      this.#flushLater();
      this.#refreshLater();
    });
  }
}

interface RedisAvailableCountsOptions {
  readonly redis: Redis;
  readonly clock: Clock;
  readonly observer: AvailableCountsObserver;
  /** Random, made with the data of this installation. */
  readonly installationId: string;
  /** Default 200 ms. */
  readonly flushEveryMs?: number;
  /** Default 30 s. */
  readonly refreshEveryMs?: number;
  /** Default 10 minutes. */
  readonly lifeMs?: number;
  /** Default 200 ms. */
  readonly freshMs?: number;
  /** Default 10,000. */
  readonly schedulesMax?: number;
}

/** For metrics: a count that was in Redis, one that was not, one that it did not tell. */
interface AvailableCountsObserver {
  onRequest(cache: 'available', result: 'hit' | 'miss' | 'bypass'): void;
}

interface ToldCount {
  readonly seq: number;
  readonly available: number;
}

interface ReadCount {
  /** Undefined: there is none. */
  readonly available: number | undefined;
  readonly readAtMs: number;
}

const schedulesPerWriteMax = 500;
const schedulesMaxDefault = 10_000;
const lifeMsDefault = 10 * 60 * 1000;
