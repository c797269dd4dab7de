import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { UserId } from '../../actors/allocator/ids.ts';
import { Problem } from '../answer/problem.ts';

export interface RateLimitOptions {
  readonly requestsMax: number;
  readonly windowSeconds: number;
}

/** So many requests a user and window, counted in this process. */
export class RateLimit {
  readonly #options: RateLimitOptions;
  readonly #limiter: RateLimiterMemory;

  constructor(options: RateLimitOptions) {
    this.#options = options;
    this.#limiter = new RateLimiterMemory({ points: options.requestsMax, duration: options.windowSeconds });
  }

  /** Counts a request; undefined when it may pass. */
  async consume(user: UserId): Promise<Problem | undefined> {
    try {
      await this.#limiter.consume(user);
      return undefined;
    } catch (refusal) {
      if (refusal instanceof RateLimiterRes) return this.#refuse(refusal.msBeforeNext);
      throw refusal;
    }
  }

  /** Headers as in draft-ietf-httpapi-ratelimit-headers-10. */
  #refuse(waitMs: number): Problem {
    const { requestsMax, windowSeconds } = this.#options;
    const waitSeconds = Math.max(1, Math.ceil(waitMs / 1000));
    return new Problem('rate-limited', `At most ${requestsMax} requests in ${windowSeconds} s.`, {}, [
      'Retry-After',
      String(waitSeconds),
      'RateLimit',
      `"user";r=0;t=${waitSeconds}`,
      'RateLimit-Policy',
      `"user";q=${requestsMax};w=${windowSeconds}`,
    ]);
  }
}
