import type { ShardId } from '../actors/allocator/ids.ts';
import type { Clock, ShardEpoch, TimerHandle } from '../actors/runtime/ports.ts';
import type { ClusterObserver } from './cluster-observer.ts';
import type { ClusterTiming } from './cluster-timing.ts';
import { type Registry, RegistryUnavailable } from './registry.ts';

/** Tells the registry which shards are served here, again and again until it has heard. One call at a time. */
export class Advertiser {
  readonly #options: AdvertiserOptions;
  readonly #untold = new Map<ShardId, number>();
  #isTelling = false;
  #isStopped = false;
  #timer: TimerHandle | undefined;

  constructor(options: AdvertiserOptions) {
    this.#options = options;
  }

  /** To be called when calls of the shards are answered here, and not before. */
  tell(shards: readonly ShardEpoch[]): void {
    for (const { shardId, epoch } of shards) this.#untold.set(shardId, epoch);
    void this.#tell();
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  /** Never rejects. */
  async #tell(): Promise<void> {
    const { registry, observer, instanceId } = this.#options;
    if (this.#isTelling || this.#timer !== undefined) return;
    this.#isTelling = true;
    try {
      while (this.#untold.size > 0 && !this.#isStopped) {
        const told = [...this.#untold];
        await registry.advertise(told.map(([shardId, epoch]) => ({ shardId, epoch, owner: instanceId })));
        for (const [shardId, epoch] of told) {
          if (this.#untold.get(shardId) === epoch) this.#untold.delete(shardId);
        }
      }
    } catch (error) {
      // Whoever looks for the owner asks the store as well.
      if (!(error instanceof RegistryUnavailable)) observer.onFault('advertising failed', error);
      this.#tellLater();
    } finally {
      this.#isTelling = false;
    }
  }

  #tellLater(): void {
    const { clock, timing } = this.#options;
    if (this.#isStopped) return;
    this.#timer = clock.setTimer(timing.beatEveryMs, () => {
      this.#timer = undefined;
      void this.#tell();
    });
  }
}

interface AdvertiserOptions {
  readonly instanceId: string;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly observer: ClusterObserver;
  readonly timing: Pick<ClusterTiming, 'beatEveryMs'>;
}
