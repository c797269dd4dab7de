import type { ScheduleId, ShardId } from '../../../src/actors/allocator/ids.ts';
import type { ShardEpoch } from '../../../src/actors/runtime/ports.ts';
import type { SealedSchedule, SeatWatcher, ShardHost } from '../../../src/actors/runtime/shard-host.ts';
import type { ClusterObserver } from '../../../src/cluster/cluster-observer.ts';
import { type ClusterTiming, clusterTiming } from '../../../src/cluster/cluster-timing.ts';
import type { PeerResult, Peers, Subscription, SubscriptionEvents } from '../../../src/cluster/peers.ts';

export const timing: ClusterTiming = {
  ...clusterTiming,
  beatEveryMs: 500,
  leaseMs: 3_000,
  confirmEveryMs: 300,
  trustMs: 1_000,
  parkMaxMs: 2_000,
  callMaxMs: 1_500,
  ackMaxMs: 2_000,
  settleMs: 2_000,
};

/** Node a is where a test looks; b and c are others. */
export const [a, b, c] = ['a/1@a:1', 'b/1@b:1', 'c/1@c:1'] as const;

export const shardId = (id: number): ShardId => id as ShardId;

export interface PeerCall {
  readonly address: string;
  readonly method: string;
  readonly body: unknown;
  readonly limitMs: number;
  readonly reply: (result: PeerResult) => void;
}

export interface PeerStream extends SubscriptionEvents {
  readonly address: string;
  readonly body: unknown;
  isEnded: boolean;
}

/** Other nodes, which say what a test says for them. */
export class ScriptedPeers implements Peers {
  /** That wait for an answer, in order. */
  readonly calls: PeerCall[] = [];
  readonly streams: PeerStream[] = [];
  /** What was ever asked: address and method. */
  readonly asked: string[] = [];
  /** Answers at once, where it has one; the others wait. */
  answerOf: (call: PeerCall) => PeerResult | undefined = () => undefined;
  isHeard = true;

  call(
    address: string,
    method: string,
    body: unknown,
    limitMs: number,
    reply: (result: PeerResult) => void,
  ): void {
    this.asked.push(`${address} ${method}`);
    const call = { address, method, body, limitMs, reply };
    const result = this.answerOf(call);
    if (result === undefined) this.calls.push(call);
    else queueMicrotask(() => reply(result));
  }

  isHeardOf(): boolean {
    return this.isHeard;
  }

  subscribe(address: string, _method: string, body: unknown, events: SubscriptionEvents): Subscription {
    const stream: PeerStream = {
      address,
      body,
      isEnded: false,
      onMessage: (message) => events.onMessage(message),
      onEnd: () => events.onEnd(),
    };
    this.streams.push(stream);
    return {
      end: () => {
        stream.isEnded = true;
      },
    };
  }

  /** Of the call that waits longest. */
  answer(answer: unknown): void {
    this.calls.shift()!.reply({ answer });
  }

  fail(failure: 'not-sent' | 'no-answer'): void {
    this.calls.shift()!.reply({ failure });
  }
}

/** The actors of a node: shards come and go as they are told to, and what was told is noted. */
export class ScriptedHost implements ShardHost {
  readonly served = new Map<ShardId, number>();
  readonly notes: string[] = [];
  lost: readonly ShardId[] = [];
  sealed: readonly SealedSchedule[] = [];
  /** When the store was asked, for what was served or unsealed. */
  readonly knownAtMs: number[] = [];
  /** How the next ones go, if not well; `undefined` does. */
  failures: { seal?: Error | undefined; serve?: Error | undefined; preload?: Error | undefined } = {};

  servedShards(): readonly ShardEpoch[] {
    return [...this.served].map(([shard, epoch]) => ({ shardId: shard, epoch }));
  }

  serves(shard: ShardId): boolean {
    return this.served.has(shard);
  }

  lostShards(): readonly ShardId[] {
    return this.lost;
  }

  awakeSchedules(): readonly ScheduleId[] {
    return [1 as ScheduleId];
  }

  async preload(scheduleIds: readonly ScheduleId[]): Promise<void> {
    this.notes.push(`preload ${scheduleIds.join()}`);
    this.#failOf('preload');
  }

  async seal(shard: ShardId): Promise<readonly SealedSchedule[]> {
    this.notes.push(`seal ${shard}`);
    this.#failOf('seal');
    return this.sealed;
  }

  unseal(shard: ShardId, raised?: { readonly epoch: number; readonly knownAtMs: number }): void {
    this.notes.push(`unseal ${shard}${raised === undefined ? '' : ` at ${raised.epoch}`}`);
    if (raised === undefined) return;
    this.served.set(shard, raised.epoch);
    this.knownAtMs.push(raised.knownAtMs);
  }

  release(shard: ShardId): void {
    this.notes.push(`release ${shard}`);
    this.served.delete(shard);
    this.lost = this.lost.filter((other) => other !== shard);
  }

  async serve(
    shards: readonly ShardEpoch[],
    knownAtMs: number,
    sealed?: readonly SealedSchedule[],
  ): Promise<void> {
    this.knownAtMs.push(knownAtMs);
    const names = shards.map((shard) => `${shard.shardId} at ${shard.epoch}`).join();
    this.notes.push(`serve ${names}${sealed === undefined ? '' : ' sealed'}`);
    this.#failOf('serve');
    for (const shard of shards) this.served.set(shard.shardId, shard.epoch);
  }

  watchSeats(_scheduleId: ScheduleId, _watcher: SeatWatcher): () => void {
    return () => {};
  }

  #failOf(step: keyof ScriptedHost['failures']): void {
    const error = this.failures[step];
    delete this.failures[step];
    if (error !== undefined) throw error;
  }
}

/** What the cluster has told those who watch it, in words. */
export class NotedObserver implements ClusterObserver {
  readonly notes: string[] = [];
  readonly faults: string[] = [];

  onForwarded(method: string, result: string): void {
    this.notes.push(`${method} ${result}`);
  }

  onParked(result: string, waitedMs: number): void {
    this.notes.push(`${result} ${waitedMs}`);
  }

  onMove(outcome: string, blockedMs: number): void {
    this.notes.push(`move ${outcome} ${blockedMs}`);
  }

  onClaim(shards: number, owners: readonly string[]): void {
    this.notes.push(`claim ${shards} of ${owners.join()}`);
  }

  onLost(shardIds: readonly ShardId[]): void {
    this.notes.push(`lost ${shardIds.join()}`);
  }

  onFault(fault: string, error: unknown): void {
    this.faults.push(`${fault}: ${(error as Error | undefined)?.message}`);
  }
}

/** Whose calls wait at the router, as others have told it. */
export class NotedHolds {
  readonly held = new Set<ShardId>();
  readonly changed: ShardId[][] = [];

  hold(shard: ShardId): void {
    this.held.add(shard);
  }

  letGo(shard: ShardId): void {
    this.held.delete(shard);
  }

  onRoutesChanged(shards: readonly ShardId[]): void {
    this.changed.push([...shards]);
  }
}
