import type { ShardId } from '../actors/allocator/ids.ts';
import type { Clock, ShardEpoch, ShardStore } from '../actors/runtime/ports.ts';
import type { SealedSchedule, ShardHost } from '../actors/runtime/shard-host.ts';
import type { ClusterObserver } from './cluster-observer.ts';
import type { ClusterTiming } from './cluster-timing.ts';
import { parseInstanceId } from './instance-id.ts';
import type { PeerResult, Peers } from './peers.ts';
import { AskingStopped, type PersistentAsk } from './persistent-ask.ts';
import type { LiveMove } from './registry.ts';
import type { RouteTable } from './route-table.ts';
import {
  type ActivateOrder,
  done,
  failed,
  failureWords,
  type MoveOrder,
  type OrderResult,
  type PreloadOrder,
  readOrderResult,
} from './shard-order.ts';
import type { ShardRouter } from './shard-router.ts';

/**
 * The giver's side of a live move. Until the store has the taker's name, nothing has happened that can't be undone;
 * after it, the shard is the taker's unless the giver takes it back under a newer epoch.
 *
 *   preloading   the taker loads what is on disk, while the shard sells here
 *   sealed       calls are parked, all that was decided is on disk
 *   transferred  the store: epoch + 1, the taker's
 *   activating   the taker loads the rest, compares, serves, advertises, says so; what was parked follows it
 *
 * I3 one owner: who it is, is what the store says. Whatever is not known is asked for until it is known; the shard
 * stays sealed so long, and its calls wait or are refused.
 * I2 nothing acknowledged is lost: the transfer comes after the last batch, and the taker reads after the transfer.
 */
export class ShardGiver {
  readonly #options: ShardGiverOptions;
  readonly #moves = new Map<ShardId, { readonly live: LiveMove; readonly result: Promise<OrderResult> }>();

  constructor(options: ShardGiverOptions) {
    this.#options = options;
  }

  /** Under way. */
  liveMoves(): readonly LiveMove[] {
    return [...this.#moves.values()].map(({ live }) => live);
  }

  /** Moves the shard, or joins the move of it that is under way. Never rejects. */
  give(order: MoveOrder): Promise<OrderResult> {
    const underWay = this.#moves.get(order.shardId);
    if (underWay !== undefined) {
      const isSame = underWay.live.toInstanceId === order.toInstanceId;
      return isSame ? underWay.result : Promise.resolve(failed('another move of the shard is under way'));
    }
    const { moveId, shardId, toInstanceId } = order;
    const startedAtMs = this.#options.clock.nowMs();
    const live: MutableMove = { moveId, shardId, toInstanceId, phase: 'preloading', startedAtMs };
    const result = this.#give(live)
      .catch((error: unknown) => this.#giveUp(shardId, error))
      .finally(() => this.#moves.delete(shardId));
    this.#moves.set(shardId, { live, result });
    return result;
  }

  async #give(move: MutableMove): Promise<OrderResult> {
    const { host, router, timing, clock, observer } = this.#options;
    const { shardId, toInstanceId } = move;
    const taker = parseInstanceId(toInstanceId)?.address;
    if (taker === undefined || taker === '') return failed('the taker has no address');
    if (!host.serves(shardId)) return failed('the shard is not served here');
    const preload: PreloadOrder = { scheduleIds: host.awakeSchedules(shardId) };
    const preloaded = await this.#ask(taker, 'preload', preload, preloadMaxMs);
    if (!preloaded.isDone) return failed(`the taker could not preload: ${preloaded.detail}`);

    move.phase = 'sealed';
    router.hold(shardId);
    const sealedAtMs = clock.monotonicMs();
    const finish = (outcome: 'done' | 'failed' | 'taken-back', result: OrderResult) => {
      router.letGo(shardId);
      observer.onMove(outcome, clock.monotonicMs() - sealedAtMs);
      return result;
    };
    let sealed: readonly SealedSchedule[];
    try {
      sealed = await host.seal(shardId);
    } catch (error) {
      return finish('failed', failed((error as Error).message));
    }

    const transferred = await this.#transfer(shardId, toInstanceId);
    if (!transferred.isDone) return finish('failed', transferred);
    move.phase = 'activating';
    const { epoch } = transferred;
    const activate: ActivateOrder = { shardId, epoch, sealed };
    const activated = await this.#ask(taker, 'activate', activate, timing.ackMaxMs);
    if (activated.isDone) {
      this.#handOn(shardId, { epoch, owner: toInstanceId });
      return finish('done', done);
    }
    const result = await this.#takeBack(shardId, toInstanceId, epoch, activated.detail);
    return finish(result.isDone ? 'done' : 'taken-back', result);
  }

  /** The store's word that the shard is the taker's, and under which epoch; or that it stays here. */
  async #transfer(shardId: ShardId, taker: string): Promise<OrderResult & { readonly epoch: number }> {
    const { host, store } = this.#options;
    const before = host.servedShards().find((shard) => shard.shardId === shardId);
    if (before === undefined) return { ...failed('the shard was lost'), epoch: 0 };
    let given: readonly ShardEpoch[] = [];
    try {
      given = await store.transferShards([before], taker, 'given');
    } catch (error) {
      this.#fault(shardId, 'a transfer of unknown outcome', error);
    }
    const [shard] = given;
    return shard === undefined ? this.#settleTransfer(shardId, taker) : { ...done, epoch: shard.epoch };
  }

  /** Raising our own epoch shuts out a transfer that is still on its way, or finds that it has happened. */
  async #settleTransfer(shardId: ShardId, taker: string): Promise<OrderResult & { readonly epoch: number }> {
    const { host, store, ask, clock, instanceId } = this.#options;
    const knownAtMs = clock.monotonicMs();
    const [renewed] = await ask.untilAnswered(() => store.renewShards(instanceId, [shardId]));
    if (renewed !== undefined) {
      host.unseal(shardId, { epoch: renewed.epoch, knownAtMs });
      return { ...failed('the store did not take the transfer'), epoch: 0 };
    }
    const record = await this.#recordOf(shardId);
    if (record?.owner === taker) return { ...done, epoch: record.epoch };
    host.release(shardId);
    return { ...failed(`the shard was taken by ${record?.owner}`), epoch: 0 };
  }

  /** The taker did not say that it serves. It may serve all the same, or be dead. */
  async #takeBack(shardId: ShardId, toInstanceId: string, epoch: number, why: string): Promise<OrderResult> {
    const { host, store, ask, clock, timing, instanceId } = this.#options;
    // What was decided there in the meantime is not in memory here.
    host.release(shardId);
    const owner = await this.#regain(shardId, epoch);
    if (owner === toInstanceId) return done;
    if (owner !== instanceId) return failed(`the shard was taken by ${owner}`);
    // The taker may answer from memory for as long as this.
    await ask.pause(timing.trustMs);
    await ask.untilAnswered(async () => {
      const knownAtMs = clock.monotonicMs();
      const shards = await store.renewShards(instanceId, [shardId]);
      if (shards.length > 0) await host.serve(shards, knownAtMs);
    });
    return failed(`the taker did not activate: ${why}; the shard was taken back`);
  }

  /** @returns the owner, by the store. */
  async #regain(shardId: ShardId, epoch: number): Promise<string | undefined> {
    const { store, instanceId } = this.#options;
    try {
      const taken = await store.transferShards([{ shardId, epoch }], instanceId, 'taken');
      if (taken.length > 0) return instanceId;
    } catch (error) {
      this.#fault(shardId, 'taking it back failed', error);
    }
    return (await this.#recordOf(shardId))?.owner;
  }

  /** Nobody knows how far it came: the store does, and what it says is ours is brought in again (shard-watch.ts). */
  #giveUp(shardId: ShardId, error: unknown): OrderResult {
    const { host, router } = this.#options;
    if (!(error instanceof AskingStopped)) this.#fault(shardId, 'a move broke', error);
    host.release(shardId);
    router.letGo(shardId);
    return failed((error as Error).message);
  }

  #handOn(shardId: ShardId, { epoch, owner }: { epoch: number; owner: string }): void {
    const { host, routes } = this.#options;
    routes.hear([{ shardId, epoch, owner }]);
    host.release(shardId);
  }

  async #recordOf(shardId: ShardId) {
    const { store, ask, routes } = this.#options;
    const records = await ask.untilAnswered(() => store.listShards());
    routes.read(records);
    return records.find((record) => record.shardId === shardId);
  }

  #ask(address: string, method: string, body: object, limitMs: number): Promise<OrderResult> {
    return new Promise((resolve) => {
      this.#options.peers.call(address, method, body, limitMs, (result: PeerResult) =>
        resolve('failure' in result ? failed(failureWords[result.failure]) : readOrderResult(result.answer)),
      );
    });
  }

  #fault(shardId: ShardId, what: string, error: unknown): void {
    this.#options.observer.onFault(`shard ${shardId}: ${what}`, error);
  }
}

/** Of a hall of 200,000 seats, twice over. */
const preloadMaxMs = 20_000;

type MutableMove = { -readonly [Key in keyof LiveMove]: LiveMove[Key] };

interface ShardGiverOptions {
  readonly instanceId: string;
  readonly host: ShardHost;
  readonly store: Pick<ShardStore, 'transferShards' | 'renewShards' | 'listShards'>;
  readonly router: Pick<ShardRouter, 'hold' | 'letGo'>;
  readonly routes: RouteTable;
  readonly peers: Peers;
  readonly ask: PersistentAsk;
  readonly clock: Clock;
  readonly observer: ClusterObserver;
  readonly timing: ClusterTiming;
}
