import type { ShardRecord } from '../../../src/actors/runtime/ports.ts';
import type { MemoryRegistry } from '../../../src/cluster/memory/memory-registry.ts';
import {
  type Beat,
  type Registry,
  RegistryUnavailable,
  type RegistryView,
} from '../../../src/cluster/registry.ts';
import type { Counters } from '../counters.ts';
import type { Owner, Scheduler } from '../scheduler.ts';
import type { Place } from './cluster-action.ts';
import type { ClusterFaults } from './cluster-faults.ts';
import { RemoteCalls } from './remote-calls.ts';

/** One node's connection to Redis. */
export class RegistryConnection implements Registry {
  readonly #registry: MemoryRegistry;
  readonly #calls: RemoteCalls;

  constructor({ registry, scheduler, owner, place, faults, counters }: RegistryConnectionOptions) {
    this.#registry = registry;
    this.#calls = new RemoteCalls({
      scheduler,
      owner,
      limitMs: 250,
      isReachable: () => {
        const isReachable = faults.reachesRegistry(place);
        if (!isReachable) counters.add('registry not reached');
        return isReachable;
      },
      isUnheard: () => {
        const isUnheard = faults.takeUnheardRegistryCall();
        if (isUnheard) counters.add('registry not heard');
        return isUnheard;
      },
      delayMs: () => {
        const delayMs = faults.takeRegistryDelayMs();
        if (delayMs > 0) counters.add('registry late');
        return delayMs;
      },
      failure: (message) => new RegistryUnavailable(message),
    });
  }

  beat(beat: Beat): Promise<RegistryView> {
    return this.#calls.call('beat', () => this.#registry.beat(beat));
  }

  look(): Promise<RegistryView> {
    return this.#calls.call('look', () => this.#registry.look());
  }

  leave(instanceId: string): Promise<void> {
    return this.#calls.call('leave', () => this.#registry.leave(instanceId));
  }

  advertise(shards: readonly ShardRecord[]): Promise<void> {
    return this.#calls.call('advertise', () => this.#registry.advertise(shards));
  }

  readShards(): Promise<readonly ShardRecord[]> {
    return this.#calls.call('readShards', () => this.#registry.readShards());
  }
}

export interface RegistryConnectionOptions {
  readonly registry: MemoryRegistry;
  readonly scheduler: Scheduler;
  readonly owner: Owner;
  readonly place: Place;
  readonly faults: ClusterFaults;
  readonly counters: Counters;
}
