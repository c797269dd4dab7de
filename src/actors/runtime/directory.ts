import { assert } from '../allocator/assert.ts';
import type { Intent } from '../allocator/command.ts';
import { idempotencyWindowMs } from '../allocator/idempotency-window.ts';
import {
  type ReservationRef,
  type ScheduleId,
  type ShardId,
  shardOf,
  type UserId,
} from '../allocator/ids.ts';
import type { ScheduleTerms } from '../allocator/state.ts';
import { Actor, type ActorContext } from './actor.ts';
import type { AllocatorService, ReadFailure } from './allocator-service.ts';
import { auditSchedule } from './audit.ts';
import type { AvailabilityView } from './availability-view.ts';
import { type AvailableCounts, noAvailableCounts } from './available-counts.ts';
import type { CardGateway } from './card-gateway.ts';
import type { Performance } from './catalog.ts';
import { CatalogCache } from './catalog-cache.ts';
import { GroupCommit } from './group-commit.ts';
import { KnownCounts } from './known-counts.ts';
import type { Ledger, LedgerAuditor } from './ledger.ts';
import {
  type AuditCheck,
  type Outcome,
  type Reply,
  type ScheduleCounts,
  type UnavailableCode,
  unavailable,
} from './outcome.ts';
import { Ownership } from './ownership.ts';
import type { PaymentRequest } from './payment-request.ts';
import { Payments } from './payments.ts';
import type {
  Clock,
  IdSource,
  ReservationPage,
  ReservationQuery,
  ShardRecord,
  Store,
  TimerHandle,
} from './ports.ts';
import { storedView } from './reservation-view.ts';
import type { RuntimeObserver } from './runtime-observer.ts';
import { ShardKeeper } from './shard-keeper.ts';

/**
 * The actors of a node: finds the one of a schedule, makes it on first use, lets it go when it is idle.
 *
 * On its own, a node claims all shards when it starts and wakes every schedule with an open hold, so that holds end
 * in time after a crash; calls are answered before that is done, in the order in which actors recover. In a cluster
 * it starts without any, and they come and go by `shards`.
 */
export class Directory implements AllocatorService {
  readonly catalog: CatalogCache;
  readonly shardCount: number;
  readonly shards: ShardKeeper;

  readonly #options: DirectoryOptions;
  readonly #ownership: Ownership;
  readonly #commits: GroupCommit;
  readonly #context: ActorContext;
  readonly #payments: Payments;
  readonly #counts: KnownCounts;
  readonly #actors = new Map<ScheduleId, Actor>();
  #phase: 'starting' | 'serving' | 'stopping' = 'starting';
  #sweepTimer: TimerHandle | undefined;

  constructor(options: DirectoryOptions) {
    this.#options = options;
    this.shardCount = options.shardCount;
    const { store, clock, observer, limits } = options;
    this.catalog = new CatalogCache(store, clock);
    const { trustMs } = options;
    this.#ownership = new Ownership(
      store,
      options.ids.instanceId(),
      trustMs === undefined ? undefined : { clock, trustMs },
    );
    this.#counts = new KnownCounts(
      this.catalog,
      this.#ownership,
      options.availableCounts ?? noAvailableCounts,
      (scheduleId) => this.shardOf(scheduleId),
    );
    this.#commits = new GroupCommit({
      store,
      clock,
      observer,
      ownership: this.#ownership,
      rowsMax: limits.batchRowsMax,
    });
    this.#payments = new Payments({
      ledger: options.ledger,
      gateway: options.gateway,
      actors: {
        // Past the phase: payments that were found open are settled while the node starts.
        submit: (scheduleId, intent, reply) => this.#knownActor(scheduleId).submit(intent, reply),
        readPayment: (scheduleId, number, paymentSeq, reply) =>
          this.#knownActor(scheduleId).readPayment(number, paymentSeq, reply),
        isLost: (scheduleId) => this.#ownership.standing(this.shardOf(scheduleId)) === 'lost',
      },
      clock,
      observer,
      currencyOf: (scheduleId) => this.#performanceOf(scheduleId).currency,
      waitMaxMs: limits.payWaitMaxMs,
      openMax: limits.mailboxMax,
    });
    this.shards = new ShardKeeper({
      ownership: this.#ownership,
      payments: this.#payments,
      actors: {
        all: () => this.#actors.values(),
        find: (scheduleId) => this.#actor(scheduleId),
        drop: (scheduleId) => this.#actors.delete(scheduleId),
      },
      catalog: this.catalog,
      store,
      observer,
      shardOf: (scheduleId) => this.shardOf(scheduleId),
    });
    this.#context = {
      clock,
      observer,
      commits: this.#commits,
      ownership: this.#ownership,
      mailboxMax: limits.mailboxMax,
      terms: (scheduleId) => this.#termsOf(scheduleId),
      load: (scheduleId) => {
        // Twice the window: forgetting follows the time of events, and the clock may be ahead of it.
        const sinceMs = clock.nowMs() - 2 * idempotencyWindowMs;
        return store.loadSchedule(scheduleId, { endedSinceMs: sinceMs, markedSinceMs: sinceMs });
      },
      loadTail: (scheduleId, afterSeq) => store.loadTail(scheduleId, afterSeq),
      resumePayment: (begun) => this.#payments.resume(begun),
      refusePayment: (method) => this.#payments.refusal(method),
      publishAvailable: (scheduleId, available, seq) => this.#counts.onCount(scheduleId, seq, available),
    };
  }

  /** Rejects when the store can't be read or claimed; the process should then stop. */
  async start(): Promise<void> {
    const { store, shardCount } = this.#options;
    const shardIds = Array.from({ length: shardCount }, (_, shard) => shard as ShardId);
    if (!this.#isClustered) await this.#ownership.claim(shardIds);
    await this.catalog.load();
    if (!this.#isClustered) {
      this.#counts.onLoaded(shardIds);
      for (const scheduleId of await store.schedulesWithOpenWork()) this.#actor(scheduleId)?.wake();
    }
    if (this.#phase !== 'starting') return;
    this.#phase = 'serving';
    this.#sweepLater();
  }

  /**
   * Answers everything that was accepted, then closes the store. Calls from now on are refused.
   * @param beforeClosing what still reads the store ends here: nothing is committed any more.
   */
  async stop(beforeClosing?: () => Promise<void>): Promise<void> {
    this.#phase = 'stopping';
    this.#sweepTimer?.cancel();
    await this.#settle();
    // Nothing begins any more: whoever pays is told the end, or that it goes on, and then it is left as it is.
    await this.#payments.whenAnswered();
    this.#payments.stop();
    await this.#settle();
    for (const actor of this.#actors.values()) actor.sleep();
    await beforeClosing?.();
    await this.#options.store.close();
  }

  async #settle(): Promise<void> {
    await Promise.all([...this.#actors.values()].map((actor) => actor.whenRecovered()));
    await this.#commits.whenIdle();
  }

  submit(scheduleId: ScheduleId, intent: Intent, reply: Reply): void {
    if (this.#phase !== 'serving') return reply(unavailable('not-ready'));
    const actor = this.#actor(scheduleId);
    if (actor === undefined) return reply(notFound);
    this.#options.onCall?.(actor.shardId);
    actor.submit(intent, reply);
  }

  get takesCards(): boolean {
    return this.#payments.takesCards;
  }

  pay(request: PaymentRequest, reply: Reply): void {
    const { ref, userId, idempotency, method } = request;
    const intent = { kind: 'pay', userId, number: ref.number, method } as const;
    this.submit(ref.scheduleId, { ...intent, ...(idempotency && { idempotency }) }, (outcome) => {
      if (outcome.kind === 'payment-begun') {
        const cardToken = request.method === 'card' ? request.cardToken : undefined;
        this.#payments.begin(outcome.begun, cardToken, outcome.view, reply);
      } else if (outcome.kind === 'payment-joined') {
        this.#payments.join(outcome.begun, outcome.view, reply);
      } else reply(outcome);
    });
  }

  readReservation(ref: ReservationRef, userId: UserId, reply: Reply): void {
    if (this.#phase !== 'serving') return reply(unavailable('not-ready'));
    const actor = this.#actor(ref.scheduleId);
    if (actor === undefined) return reply(notFound);
    this.#options.onCall?.(actor.shardId);
    actor.readReservation(ref.number, userId, (found) => {
      if (found !== undefined) return reply(found);
      this.#findStored(ref, userId).then(reply, () => reply(unavailable('store-unavailable')));
    });
  }

  readAvailability(scheduleId: ScheduleId, reply: (result: AvailabilityView | ReadFailure) => void): void {
    if (this.#phase !== 'serving') return reply(toFailure('not-ready'));
    const actor = this.#actor(scheduleId);
    if (actor === undefined) return reply(toFailure('not-found'));
    this.#options.onCall?.(actor.shardId);
    const view = actor.readAvailability();
    if (view !== undefined) return reply(view);
    actor.enqueue({
      run: (awake) => reply(awake.availability),
      fail: (code) => reply(toFailure(code)),
    });
  }

  listReservations(query: ReservationQuery): Promise<ReservationPage> {
    return this.#options.store.listReservations(query);
  }

  countSeats(scheduleId: ScheduleId): Promise<ScheduleCounts | ReadFailure> {
    return this.#ask(scheduleId, (actor) => actor.countSeats());
  }

  refreshAvailable(scheduleIds: readonly ScheduleId[]): Promise<void> | undefined {
    return this.#counts.refresh(scheduleIds);
  }

  audit(scheduleId: ScheduleId): Promise<readonly AuditCheck[] | ReadFailure> {
    const { ledger } = this.#options;
    return this.#ask(scheduleId, (actor) =>
      actor.inspect(() => ledger.auditSchedule(scheduleId), auditSchedule),
    );
  }

  notReadyReasons(): readonly string[] {
    if (this.#phase === 'starting') return ['the node is starting'];
    if (this.#phase === 'stopping') return ['the node is stopping'];
    const lostShards = this.#ownership.lost().length;
    return [
      ...(lostShards > 0 && !this.#isClustered
        ? [`another process has taken over ${lostShards} of its shards`]
        : []),
      ...(this.#options.storeWatch?.isSilent === true ? ['the store does not answer'] : []),
      ...(this.#commits.hasLostWithin(storeDoubtMs) ? ['the store did not take the last batch'] : []),
      ...(this.#options.ledger.isFailing ? ['the ledger does not take its transactions'] : []),
    ];
  }

  /**
   * Asks the store whose the shards are: what this node has lost it neither sells nor shows any more. Rejects with
   * StoreUnavailable.
   */
  async confirmShards(): Promise<readonly ShardRecord[]> {
    const before = this.#ownership.lost().length;
    const records = await this.#ownership.confirm();
    const lost = this.#ownership.lost().length - before;
    if (lost > 0 && !this.#isClustered)
      this.#options.observer.onFault(`another process has taken over ${lost} shards`, undefined);
    return records;
  }

  get #isClustered(): boolean {
    return this.#options.trustMs !== undefined;
  }

  shardOf(scheduleId: ScheduleId): ShardId {
    return shardOf(scheduleId, this.shardCount);
  }

  /** For gauges; walks the actors. */
  stats(): DirectoryStats {
    let mailboxDepth = this.#commits.pending;
    let heldSeats = 0;
    let openHolds = 0;
    for (const actor of this.#actors.values()) {
      mailboxDepth += actor.mailboxDepth;
      heldSeats += actor.state?.seatCounts.held ?? 0;
      openHolds += actor.state?.expiries.size ?? 0;
    }
    return {
      actors: this.#actors.size,
      mailboxDepth,
      heldSeats,
      openHolds,
      openPayments: this.#payments.open,
    };
  }

  #actor(scheduleId: ScheduleId): Actor | undefined {
    const present = this.#actors.get(scheduleId);
    if (present !== undefined) return present;
    if (this.catalog.schedule(scheduleId) === undefined) return undefined;
    const shardId = this.shardOf(scheduleId);
    const actor = new Actor(scheduleId, shardId, this.#context);
    if (this.shards.isSealed(shardId)) actor.pause();
    this.#actors.set(scheduleId, actor);
    return actor;
  }

  #knownActor(scheduleId: ScheduleId): Actor {
    const actor = this.#actor(scheduleId);
    assert(actor !== undefined, 'a payment is of a schedule that exists');
    return actor;
  }

  #performanceOf(scheduleId: ScheduleId): Performance {
    const schedule = this.catalog.schedule(scheduleId);
    const performance = schedule && this.catalog.performance(schedule.performanceId);
    if (performance === undefined) throw new Error(`schedule ${scheduleId} has no performance in the store`);
    return performance;
  }

  async #termsOf(scheduleId: ScheduleId): Promise<ScheduleTerms> {
    const { limits } = this.#options;
    const schedule = this.catalog.schedule(scheduleId);
    const performance = this.#performanceOf(scheduleId);
    const map = await this.catalog.seatMap(scheduleId);
    if (map === undefined) throw new Error(`schedule ${scheduleId} has no venue in the store`);
    const priceOf = new Map(performance.prices.map(({ category, priceMinor }) => [category, priceMinor]));
    return {
      scheduleId,
      map,
      priceMinorOfCategory: map.categories.map((category) => {
        const priceMinor = priceOf.get(category);
        if (priceMinor === undefined)
          throw new Error(`performance ${performance.performanceId} has no price for ${category}`);
        return priceMinor;
      }),
      onSaleAtMs: schedule?.onSaleAtMs ?? 0,
      seatsPerUserMax: performance.seatsPerUserMax ?? limits.seatsPerUserMax,
      seatsPerReservationMax: limits.seatsPerReservationMax,
      orphanRule: performance.orphanRule,
      holdTtlMs: limits.holdTtlMs,
      holdTotalMaxMs: limits.holdTotalMaxMs,
      paymentMaxMs: limits.paymentMaxMs,
    };
  }

  /** A reservation that its actor has forgotten: from the projection, which is durable. */
  async #findStored(ref: ReservationRef, userId: UserId): Promise<Outcome> {
    const stored = await this.#options.store.findReservation(ref.scheduleId, ref.number);
    if (stored === undefined || stored.userId !== userId) return notFound;
    return {
      kind: 'reservation',
      view: storedView(stored, this.#options.clock.nowMs()),
      replayed: false,
    };
  }

  async #ask<T extends object>(
    scheduleId: ScheduleId,
    question: (actor: Actor) => Promise<T | UnavailableCode>,
  ): Promise<T | ReadFailure> {
    if (this.#phase !== 'serving') return toFailure('not-ready');
    const actor = this.#actor(scheduleId);
    if (actor === undefined) return toFailure('not-found');
    try {
      const answer = await question(actor);
      return typeof answer === 'string' ? toFailure(answer) : answer;
    } catch (error) {
      this.#options.observer.onFault(`schedule ${scheduleId}: reading the store failed`, error);
      return toFailure('store-unavailable');
    }
  }

  #sweepLater(): void {
    const { clock, limits } = this.#options;
    this.#sweepTimer = clock.setTimer(limits.idleActorMs / 4, () => {
      for (const [scheduleId, actor] of this.#actors) {
        if (!actor.isIdle(limits.idleActorMs)) continue;
        actor.sleep();
        this.#actors.delete(scheduleId);
      }
      this.#sweepLater();
    });
  }
}

interface DirectoryOptions {
  readonly store: Store;
  /** Stays open when the directory stops; whoever opened it closes it. */
  readonly ledger: Ledger & LedgerAuditor;
  /** noGateway where cards are not taken. */
  readonly gateway: CardGateway;
  /** Whether the store answers now. Absent: only what it is asked in any case tells. */
  readonly storeWatch?: { readonly isSilent: boolean };
  /** How the nodes tell each other what is left of their schedules. Default noAvailableCounts. */
  readonly availableCounts?: AvailableCounts;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly observer: RuntimeObserver;
  readonly shardCount: number;
  /** Somebody asked something of a schedule of this shard: for rates. */
  readonly onCall?: (shardId: ShardId) => void;
  /** In a cluster: as Trust in ownership.ts. Absent: the node is on its own, and claims all shards. */
  readonly trustMs?: number;
  readonly limits: DirectoryLimits;
}

export interface DirectoryLimits {
  readonly holdTtlMs: number;
  readonly holdTotalMaxMs: number;
  /** A payment that is not over by then takes its reservation with it. */
  readonly paymentMaxMs: number;
  /** A caller that pays waits so long for the end; then it is told that the payment goes on. */
  readonly payWaitMaxMs: number;
  readonly seatsPerReservationMax: number;
  /** Infinity = no limit. */
  readonly seatsPerUserMax: number;
  /** Commands that wait: of one schedule while it recovers, and of the node for the disk. */
  readonly mailboxMax: number;
  readonly batchRowsMax: number;
  /** An actor without open holds that nobody called for this long leaves memory. */
  readonly idleActorMs: number;
}

interface DirectoryStats {
  readonly actors: number;
  readonly mailboxDepth: number;
  readonly heldSeats: number;
  /** Holds, and reservations that are being paid. */
  readonly openHolds: number;
  readonly openPayments: number;
}

/** How long a lost batch speaks against the store; after that a request must find out. */
const storeDoubtMs = 5_000;

const notFound: Outcome = { kind: 'rejected', rejection: { code: 'not-found' } };

const toFailure = (failure: ReadFailure['failure']): ReadFailure => ({ failure, retryAfterSeconds: 1 });
