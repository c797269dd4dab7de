import { setTimeout as delay } from 'node:timers/promises';
import type { RedisNotice } from '../../../src/redis/outage-notices.ts';
import { type RedisCommand, RedisUnavailable } from '../../../src/redis/redis.ts';
import { RedisConnection, type RedisConnectionOptions } from '../../../src/redis/redis-connection.ts';
import { systemClock } from '../../../src/system-clock.ts';

export const get = (key: string): RedisCommand => ({ command: 'get', keys: [key] });

/** A connection and everything that it tells. */
export class RedisStage {
  readonly notices: RedisNotice[] = [];
  /** Up or down, as the metrics hear it. */
  readonly standing: boolean[] = [];
  timeouts = 0;
  readonly redis: RedisConnection;

  constructor(url: string, options: Partial<RedisConnectionOptions> = {}) {
    this.redis = new RedisConnection({
      url,
      clock: systemClock,
      observer: {
        onTimeout: () => {
          this.timeouts += 1;
        },
        onConnection: (isUp) => this.standing.push(isUp),
      },
      onNotice: (notice) => this.notices.push(notice),
      ...options,
    });
  }

  static async connected(url: string, options: Partial<RedisConnectionOptions> = {}): Promise<RedisStage> {
    const stage = new RedisStage(url, options);
    await until(() => stage.redis.isUsable);
    return stage;
  }

  /** What became of a call, and how long that took. */
  async call(...commands: readonly RedisCommand[]): Promise<{ said: unknown; tookMs: number }> {
    const startedMs = performance.now();
    const said = await this.redis.run(commands).catch((error: unknown) => {
      if (error instanceof RedisUnavailable) return 'unavailable';
      throw error;
    });
    return { said, tookMs: performance.now() - startedMs };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.redis.close();
  }
}

export async function until(holds: () => boolean, withinMs = 5_000): Promise<void> {
  const deadlineMs = performance.now() + withinMs;
  while (!holds()) {
    if (performance.now() > deadlineMs) throw new Error(`not within ${withinMs} ms: ${holds}`);
    await delay(2);
  }
}
