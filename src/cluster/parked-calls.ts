import type { ShardId } from '../actors/allocator/ids.ts';
import type { AnswerCall, ShardCall } from './shard-call.ts';

/** A call on its way to the owner of its schedule. */
export interface PendingCall {
  readonly call: ShardCall;
  readonly shardId: ShardId;
  /** Nodes that it has come through to get here. */
  readonly hops: number;
  /** By the monotonic clock. */
  readonly arrivedAtMs: number;
  readonly answer: AnswerCall;
}

/** Calls that wait until their shard has an owner who answers: in order of arrival a shard, and bounded in all. */
export class ParkedCalls {
  readonly #callsMax: number;
  readonly #parked = new Map<ShardId, PendingCall[]>();
  #size = 0;

  constructor(callsMax: number) {
    this.#callsMax = callsMax;
  }

  get size(): number {
    return this.#size;
  }

  has(shardId: ShardId): boolean {
    return this.#parked.has(shardId);
  }

  shards(): readonly ShardId[] {
    return [...this.#parked.keys()];
  }

  /** False when it is full, and then nothing was added. */
  add(pending: PendingCall): boolean {
    if (this.#size >= this.#callsMax) return false;
    const calls = this.#parked.get(pending.shardId);
    if (calls === undefined) this.#parked.set(pending.shardId, [pending]);
    else calls.push(pending);
    this.#size += 1;
    return true;
  }

  /** All of the shard, in order of arrival. */
  take(shardId: ShardId): readonly PendingCall[] {
    const calls = this.#parked.get(shardId) ?? [];
    this.#parked.delete(shardId);
    this.#size -= calls.length;
    return calls;
  }

  /** Those that have waited since `arrivedBeforeMs` or longer. */
  takeOlderThan(arrivedBeforeMs: number): readonly PendingCall[] {
    const old: PendingCall[] = [];
    for (const [shardId, calls] of this.#parked) {
      const young = calls.filter(({ arrivedAtMs }) => arrivedAtMs > arrivedBeforeMs);
      if (young.length === calls.length) continue;
      old.push(...calls.filter(({ arrivedAtMs }) => arrivedAtMs <= arrivedBeforeMs));
      if (young.length === 0) this.#parked.delete(shardId);
      else this.#parked.set(shardId, young);
    }
    this.#size -= old.length;
    return old;
  }
}
