import type { Intent } from '../actors/allocator/command.ts';
import { type ReservationRef, type ScheduleId, shardOf, type UserId } from '../actors/allocator/ids.ts';
import type { AllocatorService, ReadFailure } from '../actors/runtime/allocator-service.ts';
import type { AvailabilityView } from '../actors/runtime/availability-view.ts';
import type { CatalogCache } from '../actors/runtime/catalog-cache.ts';
import type { ClusterControl } from '../actors/runtime/cluster-control.ts';
import type { ClusterRecords } from '../actors/runtime/cluster-records.ts';
import type { Directory } from '../actors/runtime/directory.ts';
import type { AuditCheck, Reply, ScheduleCounts } from '../actors/runtime/outcome.ts';
import type { PaymentRequest } from '../actors/runtime/payment-request.ts';
import type {
  Clock,
  ReservationPage,
  ReservationQuery,
  ShardStore,
  TimerHandle,
} from '../actors/runtime/ports.ts';
import { StoreWatch } from '../actors/runtime/store-watch.ts';
import { Advertiser } from './advertiser.ts';
import type { ClusterObserver } from './cluster-observer.ts';
import { ClusterOperator } from './cluster-operator.ts';
import type { ClusterTiming } from './cluster-timing.ts';
import { Coordinator } from './coordinator.ts';
import { type Instance, parseInstanceId } from './instance-id.ts';
import { Membership } from './membership.ts';
import { checkNodeIdFree } from './node-id-check.ts';
import { NodeService } from './node-service.ts';
import { Orders } from './orders.ts';
import { Outlook } from './outlook.ts';
import type { PeerService, Peers } from './peers.ts';
import { PersistentAsk } from './persistent-ask.ts';
import { type NodeRecord, type Registry, RegistryUnavailable } from './registry.ts';
import { RouteTable } from './route-table.ts';
import { SeatCopies } from './seat-copies.ts';
import { failureOf, type ShardAnswer, type ShardCall } from './shard-call.ts';
import { ShardGiver } from './shard-giver.ts';
import type { ShardRates } from './shard-rates.ts';
import { ShardRouter } from './shard-router.ts';
import { ShardTaker } from './shard-taker.ts';
import { ShardWatch } from './shard-watch.ts';

/**
 * A node of a cluster: answers any call of any schedule, by its own actors or by the node that owns the schedule, and
 * takes part in bringing shards to where they should be. What only people look at comes from the store, as on a node
 * on its own.
 */
export class ClusterNode implements AllocatorService {
  /** What other nodes may ask: for the listening side of the transport. */
  readonly peerService: PeerService;
  readonly control: ClusterControl;

  readonly #options: ClusterNodeOptions;
  readonly #routes = new RouteTable();
  readonly #rates: ShardRates;
  readonly #copies: SeatCopies;
  readonly #ask: PersistentAsk;
  readonly #advertiser: Advertiser;
  readonly #router: ShardRouter;
  readonly #giver: ShardGiver;
  readonly #taker: ShardTaker;
  readonly #membership: Membership;
  readonly #outlook: Outlook;
  readonly #coordinator: Coordinator;
  readonly #watch: ShardWatch;
  readonly #storeWatch: StoreWatch;
  readonly #startedAtMs: number;
  #isDraining = false;
  #wereAllOwned = false;
  #isStopped = false;
  #learnTimer: TimerHandle | undefined;
  #heardVersion = '';
  /** Of the registry, when it was last told what is served here; '' while it is away. */
  #toldGeneration = '';

  constructor(options: ClusterNodeOptions) {
    this.#options = options;
    const { directory, store, records, registry, peers, clock, observer, shardCount, timing, limits } =
      options;
    const { instanceId, nodeId } = options.instance;
    const host = directory.shards;
    const common = {
      instanceId,
      nodeId,
      host,
      store,
      records,
      registry,
      peers,
      clock,
      observer,
      shardCount,
      timing,
    };
    const routes = this.#routes;
    this.#startedAtMs = clock.nowMs();
    this.#rates = options.rates;
    this.#ask = new PersistentAsk(clock, (error) => observer.onFault('the store is asked again', error));
    this.#copies = new SeatCopies({
      peers,
      clock,
      loadMap: (scheduleId) => this.catalog.seatMap(scheduleId),
    });
    const router = new ShardRouter({
      ...common,
      ...timing,
      ...limits,
      owner: directory,
      catalog: this.catalog,
      routes,
      readOwners: () => this.#lookAtShards(),
    });
    this.#router = router;
    const ask = this.#ask;
    this.#advertiser = new Advertiser(common);
    const giver = new ShardGiver({ ...common, router, routes, ask });
    this.#giver = giver;
    const taker = new ShardTaker({ ...common, router, routes, ask, advertiser: this.#advertiser });
    this.#taker = taker;
    const resumeAfterMs = timing.ackMaxMs + timing.trustMs;
    this.#watch = new ShardWatch({ ...common, router, routes, giver, taker, resumeAfterMs });
    this.#membership = new Membership({ ...common, describe: () => this.#describe() });
    this.#membership.onChange(() => void this.#onMembership());
    const drain = () => this.#beginDrain();
    const orders = new Orders(instanceId, peers, {
      claim: (order) => taker.claim(order),
      give: (order) => giver.give(order),
      drain,
    });
    const membership = this.#membership;
    this.#outlook = new Outlook({ ...common, membership, orders });
    this.#coordinator = new Coordinator({ ...common, ...limits, membership, orders });
    this.#storeWatch = new StoreWatch(() => this.#lookAtShards(), clock, timing.confirmEveryMs);
    this.peerService = new NodeService({ ...common, router, giver, taker, drain });
    this.control = new ClusterOperator({ ...common, membership, routes, orders });
  }

  get catalog(): CatalogCache {
    return this.#options.directory.catalog;
  }

  get takesCards(): boolean {
    return this.#options.directory.takesCards;
  }

  /** The store did not answer when it was last asked whose the shards are. */
  get isStoreSilent(): boolean {
    return this.#storeWatch.isSilent;
  }

  /** For gauges. */
  stats(): { readonly shards: number; readonly parkedCalls: number; readonly isRegistryUp: boolean } {
    return {
      shards: this.#options.directory.shards.servedShards().length,
      parkedCalls: this.#router.parkedCalls,
      isRegistryUp: this.#membership.isRegistryUp,
    };
  }

  /**
   * Joins. The directory has started. Shards come when the coordinator gives some. Rejects with StoreUnavailable, or
   * with NodeIdInUse.
   */
  async start(): Promise<void> {
    const { registry, clock, timing, instance } = this.#options;
    await checkNodeIdFree({ registry, clock, timing, instanceId: instance.instanceId });
    await this.#lookAtShards();
    this.#storeWatch.start();
    await this.#membership.start();
    this.#coordinator.start();
    this.#learnLater();
  }

  /**
   * Gives its shards to others, while it goes on answering, and until balancers have seen that it is not ready; at
   * most for `maxMs`, and not where there is no other node.
   */
  async drain(maxMs: number, why: string): Promise<void> {
    const { clock, records, instance } = this.#options;
    const endsAtMs = clock.monotonicMs() + maxMs;
    const action = { atMs: clock.nowMs(), who: instance.nodeId, what: `drain ${instance.nodeId}`, why };
    if (!this.#isDraining) await records.appendAction(action).catch(() => {});
    this.#beginDrain();
    const balancersKnowAtMs = clock.monotonicMs() + this.#options.timing.lameDuckMs;
    // A shard whose giver began before it could know comes in within this time as well, and is given on.
    const isAwaited = () =>
      this.#servesAny() || this.#taker.hasIncoming || clock.monotonicMs() < balancersKnowAtMs;
    while (isAwaited() && this.#hasTaker() && clock.monotonicMs() < endsAtMs) await this.#ask.pause(50);
  }

  /** Leaves. What it still owns is claimed by others. The directory stops after it. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#coordinator.stop();
    this.#storeWatch.stop();
    this.#learnTimer?.cancel();
    this.#ask.stop();
    this.#advertiser.stop();
    await this.#membership.leave();
    this.#copies.close();
    this.#router.stop();
  }

  submit(scheduleId: ScheduleId, intent: Intent, reply: Reply): void {
    this.#route({ kind: 'submit', scheduleId, intent }, reply);
  }

  pay(payment: PaymentRequest, reply: Reply): void {
    this.#route({ kind: 'pay', payment }, reply);
  }

  readReservation(ref: ReservationRef, userId: UserId, reply: Reply): void {
    this.#route({ kind: 'read', ref, userId }, reply);
  }

  async countSeats(scheduleId: ScheduleId): Promise<ScheduleCounts | ReadFailure> {
    const answer = await this.#answerOf({ kind: 'count', scheduleId });
    return answer.kind === 'counts' ? answer.counts : failureOf(answer);
  }

  async audit(scheduleId: ScheduleId): Promise<readonly AuditCheck[] | ReadFailure> {
    const answer = await this.#answerOf({ kind: 'audit', scheduleId });
    return answer.kind === 'checks' ? answer.checks : failureOf(answer);
  }

  readAvailability(scheduleId: ScheduleId, reply: (result: AvailabilityView | ReadFailure) => void): void {
    if (this.catalog.schedule(scheduleId) !== undefined) {
      return this.#readSeats(scheduleId, this.#options.clock.monotonicMs(), reply);
    }
    this.catalog.learn().then(
      () =>
        this.catalog.schedule(scheduleId) === undefined
          ? reply({ failure: 'not-found', retryAfterSeconds: 1 })
          : this.#readSeats(scheduleId, this.#options.clock.monotonicMs(), reply),
      () => reply({ failure: 'store-unavailable', retryAfterSeconds: 1 }),
    );
  }

  listReservations(query: ReservationQuery): Promise<ReservationPage> {
    return this.#options.directory.listReservations(query);
  }

  refreshAvailable(scheduleIds: readonly ScheduleId[]): Promise<void> | undefined {
    return this.#options.directory.refreshAvailable(scheduleIds);
  }

  notReadyReasons(): readonly string[] {
    return [
      ...this.#options.directory.notReadyReasons(),
      ...(this.#isDraining ? ['the node is draining'] : []),
      ...(this.#outlook.isCutOff
        ? ['no other node answers this one: see CLUSTER_SECRET and ADVERTISE_HOST']
        : []),
      ...(this.#areAllOwned() ? [] : ['shards are waiting for their first owners']),
    ];
  }

  /** The hottest read: by this node's actor, or from a copy that its owner keeps up to date. */
  #readSeats(
    scheduleId: ScheduleId,
    arrivedAtMs: number,
    reply: (result: AvailabilityView | ReadFailure) => void,
  ): void {
    const { directory, shardCount, clock, timing } = this.#options;
    const shardId = shardOf(scheduleId, shardCount);
    const tryLater = () => {
      if (this.#isStopped || clock.monotonicMs() - arrivedAtMs >= timing.parkMaxMs) {
        return reply({ failure: 'shard-moving', retryAfterSeconds: 1 });
      }
      clock.setTimer(readAgainMs, () => this.#readSeats(scheduleId, arrivedAtMs, reply));
    };
    if (this.#router.isHeld(shardId)) return tryLater();
    if (directory.shards.serves(shardId)) {
      return directory.readAvailability(scheduleId, (result) =>
        'failure' in result && result.failure === 'shard-moving' ? tryLater() : reply(result),
      );
    }
    const owner = this.#routes.ownerOf(shardId)?.owner ?? '';
    const address = parseInstanceId(owner)?.address ?? '';
    if (owner === this.#options.instance.instanceId || address === '') return tryLater();
    this.#copies.read(scheduleId, address, (view) => (view === undefined ? tryLater() : reply(view)));
  }

  #route(call: ShardCall, reply: Reply): void {
    this.#router.route(call, reply as (answer: ShardAnswer) => void);
  }

  #answerOf(call: ShardCall): Promise<ShardAnswer> {
    return new Promise((resolve) => this.#router.route(call, resolve));
  }

  async #lookAtShards(): Promise<void> {
    const records = await this.#options.directory.confirmShards();
    this.#watch.onRecords(records);
  }

  #describe(): NodeRecord {
    const { instance, version, url, directory } = this.#options;
    return {
      instanceId: instance.instanceId,
      version,
      url: url(),
      state: this.#isDraining ? 'draining' : 'up',
      startedAtMs: this.#startedAtMs,
      shards: directory.shards.servedShards().map((shard) => ({
        ...shard,
        requestsPerSecond: Math.round(this.#rates.requestsPerSecond(shard.shardId) * 10) / 10,
      })),
      moves: this.#giver.liveMoves(),
    };
  }

  /** Hears what others advertise; and says again what is its own to a registry that may have forgotten it. */
  async #onMembership(): Promise<void> {
    const { registry, directory, observer } = this.#options;
    const { isRegistryUp, shardsVersion, generation } = this.#membership;
    if (!isRegistryUp) this.#toldGeneration = '';
    if (isRegistryUp && (generation !== this.#toldGeneration || shardsVersion === '')) {
      this.#toldGeneration = generation;
      this.#advertiser.tell(directory.shards.servedShards());
    }
    try {
      if (shardsVersion === this.#heardVersion) return;
      this.#heardVersion = shardsVersion;
      this.#router.onRoutesChanged(this.#routes.hear(await registry.readShards()));
    } catch (error) {
      if (error instanceof RegistryUnavailable) this.#heardVersion = '';
      else observer.onFault('the registry could not be read', error);
    }
  }

  /** Other nodes create schedules as well; and whether there are any that answer. */
  #learnLater(): void {
    if (this.#isStopped) return;
    this.#learnTimer = this.#options.clock.setTimer(learnEveryMs, () => {
      // Whoever needs to know asks again, and is told when the store fails.
      const learnt = this.catalog.learn().catch(() => {});
      void Promise.all([learnt, this.#outlook.look()]).finally(() => this.#learnLater());
    });
  }

  #beginDrain() {
    this.#isDraining = true;
    this.#taker.refuseNew();
    return { isDone: true, detail: '' };
  }

  /** Once, and then for good: a node that dies must not take the others out of their balancer's rotation. */
  #areAllOwned(): boolean {
    this.#wereAllOwned ||= this.#routes.size >= this.#options.shardCount;
    return this.#wereAllOwned;
  }

  #servesAny(): boolean {
    return this.#options.directory.shards.servedShards().length > 0;
  }

  #hasTaker(): boolean {
    const { instanceId } = this.#options.instance;
    return this.#membership.live().some((node) => node.instanceId !== instanceId && node.state === 'up');
  }
}

const readAgainMs = 25;
const learnEveryMs = 1_000;

interface ClusterNodeOptions {
  readonly instance: Instance;
  /** Made with `trustMs`; started by the caller before the node joins, stopped by it after the node has left. */
  readonly directory: Directory;
  /** Counted by the directory. */
  readonly rates: ShardRates;
  readonly store: Pick<ShardStore, 'listShards' | 'transferShards' | 'renewShards'>;
  readonly records: ClusterRecords;
  readonly registry: Registry;
  readonly peers: Peers;
  readonly clock: Clock;
  readonly observer: ClusterObserver;
  readonly shardCount: number;
  readonly timing: ClusterTiming;
  readonly limits: ClusterLimits;
  readonly version: string;
  /** Of the public port, for people. */
  url(): string;
}

export interface ClusterLimits {
  /** Calls that wait for a shard to have an owner. */
  readonly parkedCallsMax: number;
  /** Moves that the coordinator has in flight at once. */
  readonly movesInFlightMax: number;
  /** As DirectoryLimits: a payment may take so long before its caller is answered. */
  readonly payWaitMaxMs: number;
}
