import type { ShardId } from '../actors/allocator/ids.ts';
import type { Clock } from '../actors/runtime/ports.ts';

/**
 * Requests a second of each shard, as an exponentially weighted mean: what was asked `halfLifeMs` ago counts half.
 * A request costs one addition; the rest is done when somebody looks, every half second or so.
 *
 * Between two looks that are `t` apart, with `c` requests: rate := rate × d + c / t × (1 − d), d = 2^(−t ÷ half-life):
 * exact for requests that come evenly between looks, however far apart these are.
 */
export class ShardRates {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #halfLifeMs: number;
  /** Since the last look. Doubles, which never wrap round. */
  readonly #counts: Float64Array;
  readonly #rates: Float64Array;
  #lookedAtMs: number;

  constructor(clock: Pick<Clock, 'monotonicMs'>, shardCount: number, halfLifeMs = 10_000) {
    this.#clock = clock;
    this.#halfLifeMs = halfLifeMs;
    this.#counts = new Float64Array(shardCount);
    this.#rates = new Float64Array(shardCount);
    this.#lookedAtMs = clock.monotonicMs();
  }

  /** On the path of every request. */
  count(shardId: ShardId): void {
    this.#counts[shardId]! += 1;
  }

  /** As of now. */
  requestsPerSecond(shardId: ShardId): number {
    this.#look();
    return this.#rates[shardId] ?? 0;
  }

  #look(): void {
    const nowMs = this.#clock.monotonicMs();
    const elapsedMs = nowMs - this.#lookedAtMs;
    if (elapsedMs < lookEveryMs) return;
    this.#lookedAtMs = nowMs;
    const kept = 2 ** (-elapsedMs / this.#halfLifeMs);
    const perCount = ((1 - kept) * 1_000) / elapsedMs;
    for (let shard = 0; shard < this.#rates.length; shard++) {
      this.#rates[shard] = this.#rates[shard]! * kept + this.#counts[shard]! * perCount;
    }
    this.#counts.fill(0);
  }
}

/** Looks that follow each other more closely, as those at shard after shard, are answered from the last one. */
const lookEveryMs = 10;
