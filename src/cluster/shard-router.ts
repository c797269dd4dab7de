import type { ShardId } from '../actors/allocator/ids.ts';
import { shardOf } from '../actors/allocator/ids.ts';
import type { CatalogService } from '../actors/runtime/allocator-service.ts';
import { type UnavailableCode, unavailable, untouched } from '../actors/runtime/outcome.ts';
import type { Clock, ShardRecord, TimerHandle } from '../actors/runtime/ports.ts';
import type { ClusterObserver } from './cluster-observer.ts';
import { parseInstanceId } from './instance-id.ts';
import { ParkedCalls, type PendingCall } from './parked-calls.ts';
import type { PeerResult, Peers } from './peers.ts';
import type { RouteTable } from './route-table.ts';
import {
  type AnswerCall,
  carryOut,
  isRepeatable,
  type Owner,
  readShardCall,
  type ShardAnswer,
  type ShardCall,
  scheduleOf,
} from './shard-call.ts';

/**
 * Brings each call to the owner of its schedule: to the actors of this node, or over a link to another one. A call
 * whose shard is on its way from one owner to the next, or has none, is parked, within bounds.
 *
 * A call is carried out at most once, unless it comes to the same twice (isRepeatable). It is sent again only when
 * it has certainly not begun, or is of that kind, and by the node that was asked first: nobody else knows whether the
 * caller still waits. A node that passed it on could do so late, as one that was frozen, when the call has long been
 * sent elsewhere and its caller told that nothing has happened. So a call that has come to a node and can't be carried
 * out there goes back, from where its shard was parked as well, with the word of who the next owner is.
 */
export class ShardRouter {
  readonly #options: ShardRouterOptions;
  readonly #parked: ParkedCalls;
  /** Shards whose calls wait, whoever seems to own them: they are being moved or taken. */
  readonly #held = new Set<ShardId>();
  #timer: TimerHandle | undefined;
  #isLooking = false;
  #isStopped = false;

  constructor(options: ShardRouterOptions) {
    this.#options = options;
    this.#parked = new ParkedCalls(options.parkedCallsMax);
  }

  get parkedCalls(): number {
    return this.#parked.size;
  }

  /** A call of one of this node's own clients. */
  route(call: ShardCall, answer: AnswerCall): void {
    this.#whenKnown(call, answer, () => this.#arrive(call, 0, answer));
  }

  /** A call that another node has sent here. @returns an answer for its router. */
  receive(body: unknown, reply: (answer: unknown) => void): void {
    const { call: value, hops } = body as Partial<ForwardedCall>;
    const call = readShardCall(value);
    if (call === undefined || typeof hops !== 'number') return reply(unavailable('not-ready'));
    const shardId = this.#shardOf(call);
    const isHere = this.#options.host.serves(shardId) || this.#held.has(shardId) || this.#parked.has(shardId);
    if (!isHere) return reply(this.#notOwner(shardId));
    this.#whenKnown(call, reply, () => this.#arrive(call, hops, reply));
  }

  /** Parks every call of the shard from now on. */
  hold(shardId: ShardId): void {
    this.#held.add(shardId);
  }

  /** Lets the calls of the shard go, in their order. */
  letGo(shardId: ShardId): void {
    this.#held.delete(shardId);
    this.#flush(shardId);
  }

  isHeld(shardId: ShardId): boolean {
    return this.#held.has(shardId);
  }

  /** Owners that have changed: calls may have waited for them. */
  onRoutesChanged(shardIds: readonly ShardId[]): void {
    for (const shardId of shardIds) if (this.#parked.has(shardId)) this.#flush(shardId);
  }

  /** What waits is told that the node is stopping; what comes from now on is not parked. */
  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    for (const shardId of this.#parked.shards()) {
      for (const pending of this.#parked.take(shardId)) pending.answer(untouched('shard-moving'));
    }
  }

  /** Another node may have created the schedule a moment ago. */
  #whenKnown(call: ShardCall, answer: AnswerCall, goOn: () => void): void {
    const { catalog } = this.#options;
    const scheduleId = scheduleOf(call);
    if (catalog.schedule(scheduleId) !== undefined) return goOn();
    catalog.learn().then(
      () => (catalog.schedule(scheduleId) === undefined ? answer(notFound) : goOn()),
      () => answer(untouched('store-unavailable')),
    );
  }

  #arrive(call: ShardCall, hops: number, answer: AnswerCall): void {
    const shardId = this.#shardOf(call);
    const pending = { call, shardId, hops, arrivedAtMs: this.#options.clock.monotonicMs(), answer };
    // Nobody overtakes those who wait.
    if (this.#parked.has(shardId)) this.#park(pending);
    else this.#attempt(pending);
  }

  #attempt(pending: PendingCall): void {
    const { host, owner, instanceId, routes } = this.#options;
    const { shardId } = pending;
    if (this.#held.has(shardId)) return this.#park(pending);
    if (host.serves(shardId)) {
      return carryOut(owner, pending.call, (answer) => this.#onLocalAnswer(pending, answer));
    }
    const record = routes.ownerOf(shardId);
    if (record === undefined || record.owner === instanceId) return this.#park(pending);
    if (pending.hops >= hopsMax) return pending.answer(this.#notOwner(shardId) as unknown as ShardAnswer);
    this.#forward(pending, record);
  }

  #onLocalAnswer(pending: PendingCall, answer: ShardAnswer): void {
    if (isMoving(answer) && this.#mayTryAgain(pending, answer)) return this.#park(pending);
    pending.answer(answer);
  }

  #forward(pending: PendingCall, record: ShardRecord): void {
    const { peers, callMaxMs, payWaitMaxMs, clock, observer } = this.#options;
    const { call, hops } = pending;
    const address = parseInstanceId(record.owner)?.address;
    if (address === undefined || address === '') return this.#park(pending);
    const startedMs = clock.monotonicMs();
    const limitMs = callMaxMs + (call.kind === 'pay' ? payWaitMaxMs : 0);
    peers.call(address, 'call', { call, hops: hops + 1 } satisfies ForwardedCall, limitMs, (result) => {
      observer.onForwarded(call.kind, resultWord(result), clock.monotonicMs() - startedMs);
      this.#onForwarded(pending, record.owner, result);
    });
  }

  #onForwarded(pending: PendingCall, asked: string, result: PeerResult): void {
    if ('failure' in result) {
      if (result.failure === 'not-sent' || isRepeatable(pending.call)) this.#park(pending);
      else pending.answer(unavailable('shard-moving'));
      return;
    }
    const answer = result.answer as ShardAnswer | NotOwner;
    if (answer.kind === 'not-owner') {
      const { routes } = this.#options;
      if (answer.owner !== undefined) this.onRoutesChanged(routes.hear([answer.owner]));
      const isKnown = routes.ownerOf(pending.shardId)?.owner !== asked;
      return isKnown ? this.#attempt(pending) : this.#park(pending);
    }
    if (isMoving(answer) && this.#mayTryAgain(pending, answer)) return this.#park(pending);
    pending.answer(answer);
  }

  #mayTryAgain({ call }: PendingCall, answer: Unavailable): boolean {
    return !this.#isStopped && (answer.isUntouched === true || isRepeatable(call));
  }

  #park(pending: PendingCall): void {
    const { clock, observer, parkMaxMs } = this.#options;
    const waitedMs = clock.monotonicMs() - pending.arrivedAtMs;
    if (this.#isStopped || waitedMs >= parkMaxMs) return this.#giveUp(pending, 'expired', 'shard-moving');
    if (!this.#parked.add(pending)) return this.#giveUp(pending, 'full', 'overloaded');
    observer.onParked('waits', waitedMs);
    this.#lookLater();
  }

  /** Never begun, or it comes to the same if it was. */
  #giveUp(pending: PendingCall, result: 'expired' | 'full', code: UnavailableCode): void {
    const { clock, observer } = this.#options;
    observer.onParked(result, clock.monotonicMs() - pending.arrivedAtMs);
    pending.answer(untouched(code));
  }

  #flush(shardId: ShardId): void {
    const { clock, observer } = this.#options;
    if (this.#held.has(shardId)) return;
    const nowMs = clock.monotonicMs();
    for (const pending of this.#parked.take(shardId)) {
      observer.onParked('routed', nowMs - pending.arrivedAtMs);
      this.#attempt(pending);
    }
  }

  /** While somebody waits: who has waited too long is told so, and the store is asked for the owners of the others. */
  #lookLater(): void {
    if (this.#timer !== undefined || this.#parked.size === 0 || this.#isStopped) return;
    this.#timer = this.#options.clock.setTimer(lookEveryMs, () => {
      this.#timer = undefined;
      const { clock, parkMaxMs } = this.#options;
      for (const pending of this.#parked.takeOlderThan(clock.monotonicMs() - parkMaxMs)) {
        this.#giveUp(pending, 'expired', 'shard-moving');
      }
      void this.#look();
      this.#lookLater();
    });
  }

  async #look(): Promise<void> {
    if (this.#isLooking || this.#parked.size === 0) return;
    this.#isLooking = true;
    // Whoever failed to read has told so; the next look is not far.
    await this.#options.readOwners().catch(() => {});
    this.#isLooking = false;
    for (const shardId of this.#parked.shards()) this.#flush(shardId);
  }

  #notOwner(shardId: ShardId): NotOwner {
    const owner = this.#options.routes.ownerOf(shardId);
    return owner === undefined ? { kind: 'not-owner' } : { kind: 'not-owner', owner };
  }

  #shardOf(call: ShardCall): ShardId {
    return shardOf(scheduleOf(call), this.#options.shardCount);
  }
}

const notFound: ShardAnswer = { kind: 'rejected', rejection: { code: 'not-found' } };

/** To the owner. Who is it no more sends the call back. */
const hopsMax = 1;
const lookEveryMs = 100;

interface ForwardedCall {
  readonly call: ShardCall;
  readonly hops: number;
}

/** The node that was asked does not own the shard, and nothing was done. `owner`: who does, as far as it knows. */
interface NotOwner {
  readonly kind: 'not-owner';
  readonly owner?: ShardRecord;
}

type Unavailable = Extract<ShardAnswer, { kind: 'unavailable' }>;

const isMoving = (answer: ShardAnswer): answer is Unavailable =>
  answer.kind === 'unavailable' && answer.code === 'shard-moving';

function resultWord(result: PeerResult): Parameters<ClusterObserver['onForwarded']>[1] {
  if ('failure' in result) return result.failure;
  return (result.answer as { kind?: unknown }).kind === 'not-owner' ? 'not-owner' : 'answered';
}

interface ShardRouterOptions {
  readonly instanceId: string;
  readonly shardCount: number;
  readonly host: { serves(shardId: ShardId): boolean };
  /** The actors of this node. */
  readonly owner: Owner;
  readonly catalog: Pick<CatalogService, 'schedule' | 'learn'>;
  readonly routes: RouteTable;
  readonly peers: Peers;
  readonly clock: Clock;
  readonly observer: ClusterObserver;
  readonly parkedCallsMax: number;
  readonly parkMaxMs: number;
  readonly callMaxMs: number;
  readonly payWaitMaxMs: number;
  /** Asks the store who owns the shards, and tells the routes. */
  readOwners(): Promise<unknown>;
}
