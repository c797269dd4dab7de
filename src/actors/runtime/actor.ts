import { assert } from '../allocator/assert.ts';
import { isFull } from '../allocator/capacity.ts';
import type { Command, Intent } from '../allocator/command.ts';
import { decide, isRejection } from '../allocator/decide.ts';
import type { ScheduleEvent } from '../allocator/event.ts';
import { evolve } from '../allocator/evolve.ts';
import {
  formatPaymentId,
  type ReservationNumber,
  type ScheduleId,
  type ShardId,
  type UserId,
} from '../allocator/ids.ts';
import { checkInvariants } from '../allocator/invariants.ts';
import type { PaymentMethod } from '../allocator/payment.ts';
import { hasOpenPayment } from '../allocator/reservation.ts';
import { type SeatChange, seatChangeOf } from '../allocator/seat-change.ts';
import type { ScheduleState, ScheduleTerms } from '../allocator/state.ts';
import { AvailabilityView } from './availability-view.ts';
import { type BegunPayment, begunPayment, type PaymentStanding } from './begun-payment.ts';
import { outcomeOf } from './command-outcome.ts';
import type { Batch, GroupCommit, Member, Settle } from './group-commit.ts';
import { Mailbox } from './mailbox.ts';
import {
  type Outcome,
  type Reply,
  type ScheduleCounts,
  type UnavailableCode,
  unavailable,
} from './outcome.ts';
import type { Ownership } from './ownership.ts';
import type { Clock, StoredSchedule, TimerHandle } from './ports.ts';
import { recoverState } from './recovery.ts';
import { replayOf, viewOf } from './reservation-view.ts';
import type { DecisionCode, RuntimeObserver } from './runtime-observer.ts';

/**
 * The single writer of one schedule.
 *
 * Asleep it has no state; the first call wakes it, and what comes meanwhile waits in its mailbox, in order.
 * Awake it decides each command at once, in the turn in which it arrives, and lets the answer out when
 * GroupCommit says that it is on disk. When something it decided is not on disk it forgets everything and
 * recovers before the next command.
 *
 * Time is stamped here, once a command, and never goes back (I6). Holds that are due end before anything
 * else is decided for the same moment.
 */
export class Actor implements Member {
  readonly scheduleId: ScheduleId;
  readonly shardId: ShardId;
  newestBatch: Batch | undefined;

  readonly #context: ActorContext;
  readonly #mailbox: Mailbox<Task>;
  #awake: Awake | undefined;
  #waking: Promise<void> | undefined;
  /** Commands wait while an audit compares memory with the store. */
  #isPaused = false;
  #wakeFailures = 0;
  #expiryTimer: TimerHandle | undefined;
  #wakeTimer: TimerHandle | undefined;
  #lastUsedMs: number;

  constructor(scheduleId: ScheduleId, shardId: ShardId, context: ActorContext) {
    this.scheduleId = scheduleId;
    this.shardId = shardId;
    this.#context = context;
    this.#mailbox = new Mailbox(context.mailboxMax);
    this.#lastUsedMs = context.clock.monotonicMs();
  }

  get mailboxDepth(): number {
    return this.#mailbox.size;
  }

  /** Live state for checks and counts; undefined while asleep. Not durable: show nothing of it. */
  get state(): ScheduleState | undefined {
    return this.#awake?.state;
  }

  /** Free seats as of the last durable event; undefined while asleep, or when the shard is not ours. Counts as use. */
  readAvailability(): AvailabilityView | undefined {
    this.#lastUsedMs = this.#context.clock.monotonicMs();
    return this.#usable()?.availability;
  }

  submit(intent: Intent, reply: Reply): void {
    // What the ledger has decided gets in: it ends waiting, and payments are few enough (payments.ts).
    if (intent.kind !== 'settle-payment' && this.#isOverloaded()) {
      this.#context.observer.onDecision(intent.kind, 'overloaded');
      return reply(unavailable('overloaded'));
    }
    this.enqueue({
      run: (awake) => this.#run(awake, intent, reply),
      fail: (code) => {
        this.#context.observer.onDecision(intent.kind, code);
        reply(unavailable(code));
      },
    });
  }

  /** `found` is undefined when the user has no such reservation in memory. */
  readReservation(
    number: ReservationNumber,
    userId: UserId,
    reply: (found: Outcome | undefined) => void,
  ): void {
    if (this.#isOverloaded()) return reply(unavailable('overloaded'));
    this.enqueue({
      run: (awake) => {
        const nowMs = this.#now(awake.state);
        this.#expireDue(awake, nowMs);
        const reservation = awake.state.reservations.get(number);
        const outcome: Outcome | undefined =
          reservation?.userId === userId
            ? { kind: 'reservation', view: viewOf(awake.state, reservation, nowMs), replayed: false }
            : undefined;
        this.#whenDurable((result) => reply(result === 'durable' ? outcome : unavailable(result)));
      },
      fail: (code) => reply(unavailable(code)),
    });
  }

  /** Where an open payment stands, once that is on disk: what its driver may do next depends on it. */
  readPayment(
    number: ReservationNumber,
    paymentSeq: number,
    reply: (standing: PaymentStanding | UnavailableCode) => void,
  ): void {
    this.enqueue({
      run: (awake) => {
        this.#expireDue(awake, this.#now(awake.state));
        const reservation = awake.state.reservations.get(number);
        const isOpen = reservation?.payment?.seq === paymentSeq && hasOpenPayment(reservation);
        const standing = !isOpen ? 'over' : reservation.status === 'PAYING' ? 'awaited' : 'too-late';
        this.#whenDurable((result) => reply(result === 'durable' ? standing : result));
      },
      fail: reply,
    });
  }

  /** Runs a task in the order of arrival: now if awake, else when it has recovered. */
  enqueue(task: Task): void {
    this.#lastUsedMs = this.#context.clock.monotonicMs();
    const awake = this.#isPaused ? undefined : this.#usable();
    if (awake !== undefined) return this.#guard(task, awake);
    if (!this.#mailbox.offer(task)) return task.fail('overloaded');
    if (!this.#isPaused) this.wake();
  }

  /** Recovers, so that open holds end in time even if nobody calls. Safe to call at any time. */
  wake(): void {
    if (this.#usable() !== undefined || this.#waking !== undefined) return;
    this.#waking = this.#recover().finally(() => {
      this.#waking = undefined;
      // A task may have come between the drain and this moment.
      if (this.#mailbox.size > 0 && !this.#isPaused) this.wake();
    });
  }

  /** Seats by state, as of one durable moment. */
  async countSeats(): Promise<ScheduleCounts | UnavailableCode> {
    if (this.#isOverloaded()) return 'overloaded';
    return new Promise((resolve) => {
      this.enqueue({
        run: ({ state }) => {
          const counts = toCounts(state);
          this.#whenDurable((result) => resolve(result === 'durable' ? counts : result));
        },
        fail: resolve,
      });
    });
  }

  /** Resolves when no recovery is under way. */
  async whenRecovered(): Promise<void> {
    while (this.#waking !== undefined) await this.#waking;
  }

  /** Shows memory beside the store, and beside something else, as of one durable moment; commands wait meanwhile. */
  async inspect<Beside, T>(
    loadBeside: () => Promise<Beside>,
    look: (state: ScheduleState, stored: StoredSchedule, beside: Beside) => T,
  ): Promise<T | UnavailableCode> {
    let hasPaused = false;
    const ready = await new Promise<'ready' | UnavailableCode>((resolve) => {
      this.enqueue({
        run: () => {
          hasPaused = true;
          this.#isPaused = true;
          this.#whenDurable((result) => resolve(result === 'durable' ? 'ready' : result));
        },
        fail: resolve,
      });
    });
    try {
      if (ready !== 'ready') return ready;
      const [stored, beside] = await Promise.all([this.#load(), loadBeside()]);
      return this.#awake === undefined ? 'store-unavailable' : look(this.#awake.state, stored, beside);
    } finally {
      if (hasPaused) {
        this.#isPaused = false;
        this.#drainOrWake();
      }
    }
  }

  /** Idle, nothing open and nothing on its way: its memory may go. */
  isIdle(idleMs: number): boolean {
    return (
      this.newestBatch === undefined &&
      this.#waking === undefined &&
      !this.#isPaused &&
      this.#mailbox.size === 0 &&
      this.#wakeTimer === undefined &&
      (this.#awake === undefined || this.#awake.state.expiries.size === 0) &&
      this.#context.clock.monotonicMs() - this.#lastUsedMs >= idleMs
    );
  }

  /** Forgets its memory and its timers. What it decided stays in its batches. */
  sleep(): void {
    this.#awake = undefined;
    this.#expiryTimer?.cancel();
    this.#expiryTimer = undefined;
    this.#wakeTimer?.cancel();
    this.#wakeTimer = undefined;
  }

  onDurable(seq: number): void {
    const awake = this.#awake;
    if (awake === undefined) return;
    let applied = 0;
    for (const change of awake.changes) {
      if (change.seq > seq) break;
      awake.availability.apply(change);
      applied += 1;
    }
    awake.changes.splice(0, applied);
    this.#context.publishAvailable(this.scheduleId, awake.availability.available, awake.availability.seq);
  }

  onLost(): void {
    this.sleep();
    this.#wakeLater();
  }

  /** Too many wait for the disk already. */
  #isOverloaded(): boolean {
    return this.#context.commits.pending >= this.#context.mailboxMax;
  }

  /** Awake and still the owner; a shard that is no longer ours takes the memory with it. */
  #usable(): Awake | undefined {
    if (this.#awake === undefined) return undefined;
    if (this.#context.ownership.standing(this.shardId) === 'owned') return this.#awake;
    this.#context.commits.withdraw(this, 'shard-moving');
    this.sleep();
    this.#wakeLater();
    return undefined;
  }

  #run(awake: Awake, intent: Intent, reply: Reply): void {
    const { state } = awake;
    const nowMs = this.#now(state);
    this.#expireDue(awake, nowMs);
    const memo = 'idempotency' in intent ? intent.idempotency : undefined;
    if (memo !== undefined && 'userId' in intent) {
      const first = state.idempotency.find(intent.userId, memo, nowMs);
      if (first !== undefined && first.fingerprint !== memo.fingerprint) {
        return this.#answer(intent, 'idempotency-key-reused', reply, {
          kind: 'rejected',
          rejection: { code: 'idempotency-key-reused' },
        });
      }
      if (first?.kind === 'paying') {
        // Not over yet: the caller waits for it with the first one.
        const reservation = state.reservations.get(first.number);
        assert(reservation !== undefined, 'a reservation with an open payment is in memory');
        const view = viewOf(state, reservation, nowMs);
        const begun = begunPayment(state.terms.scheduleId, reservation);
        return this.#answer(intent, 'replayed', reply, { kind: 'payment-joined', begun, view });
      }
      if (first !== undefined) {
        const view = replayOf(state, first);
        return this.#answer(intent, 'replayed', reply, { kind: 'reservation', view, replayed: true });
      }
    }
    if (addsEntry(intent) && isFull(state, nowMs)) {
      this.#context.observer.onDecision(intent.kind, 'overloaded');
      return reply(unavailable('overloaded'));
    }

    const decision = decide(state, stamped(intent, nowMs));
    if (isRejection(decision)) {
      return this.#answer(intent, decision.code, reply, { kind: 'rejected', rejection: decision });
    }
    const refusal = intent.kind === 'pay' ? this.#context.refusePayment(intent.method) : undefined;
    if (refusal !== undefined) {
      this.#context.observer.onDecision(intent.kind, refusal);
      return reply(unavailable(refusal));
    }
    this.#apply(awake, decision);
    const outcome = outcomeOf(state, intent, decision, nowMs);
    if (decision.length === 0) return this.#answer(intent, 'unchanged', reply, outcome);
    this.#context.observer.onDecision(intent.kind, 'ok');
    this.#context.commits.append(this, decision, (result) =>
      reply(result === 'durable' ? outcome : unavailable(result)),
    );
    if (outcome.kind === 'payment-begun') {
      const { number, paymentSeq } = outcome.begun;
      this.#context.observer.onPaymentStep(
        's0-decided',
        formatPaymentId(this.scheduleId, number, paymentSeq),
      );
    }
    this.#armExpiry(awake);
  }

  /** An answer without events of its own: it waits for what it rests on (I9). */
  #answer(intent: Intent, code: DecisionCode, reply: Reply, outcome: Outcome): void {
    this.#context.observer.onDecision(intent.kind, code);
    this.#whenDurable((result) => reply(result === 'durable' ? outcome : unavailable(result)));
  }

  #whenDurable(settle: Settle): void {
    this.#context.commits.whenDurable(this, settle);
  }

  #expireDue(awake: Awake, nowMs: number): void {
    while (awake.state.expiries.nextExpiryMs <= nowMs) {
      const events = decide(awake.state, { kind: 'expire', nowMs }) as readonly ScheduleEvent[];
      this.#apply(awake, events);
      this.#context.observer.onExpired(events.length);
      this.#context.commits.append(this, events, () => {});
    }
  }

  #apply(awake: Awake, events: readonly ScheduleEvent[]): void {
    for (const event of events) {
      awake.changes.push(seatChangeOf(awake.state, event));
      evolve(awake.state, event);
    }
  }

  /** A bug must not leave half-changed memory behind: it is dropped, and the store tells what is true. */
  #guard(task: Task, awake: Awake): void {
    try {
      task.run(awake);
    } catch (error) {
      this.#context.observer.onFault(`schedule ${this.scheduleId}: a command broke; recovering`, error);
      this.#context.commits.withdraw(this, 'store-unavailable');
      this.onLost();
      task.fail('store-unavailable');
    }
  }

  async #recover(): Promise<void> {
    const { clock, observer, ownership } = this.#context;
    const startedMs = clock.monotonicMs();
    try {
      // What is in flight may still become history: read only after it is settled.
      await new Promise<void>((resolve) => this.#whenDurable(() => resolve()));
      if (ownership.standing(this.shardId) === 'suspect') await ownership.renew(this.shardId);
      if (ownership.standing(this.shardId) === 'lost') return this.#failMailbox('shard-moving');
      const [terms, stored] = await Promise.all([this.#context.terms(this.scheduleId), this.#load()]);
      const state = recoverState(terms, stored);
      for (const { invariant, faults } of checkInvariants(state)) {
        if (faults.length > 0) throw new Error(`${invariant} is broken in the store: ${faults[0]}`);
      }
      this.#awake = {
        state,
        availability: new AvailabilityView(terms.map, state.seq, (seat) => state.free.isFree(seat)),
        changes: [],
      };
      this.#context.publishAvailable(this.scheduleId, state.free.count, state.seq);
      this.#wakeFailures = 0;
      this.#wakeTimer?.cancel();
      this.#wakeTimer = undefined;
      observer.onRecovery(
        this.scheduleId,
        clock.monotonicMs() - startedMs,
        terms.map.seatCount - state.free.count,
      );
      this.#armExpiry(this.#awake);
      for (const reservation of state.reservations.values()) {
        if (hasOpenPayment(reservation))
          this.#context.resumePayment(begunPayment(state.terms.scheduleId, reservation));
      }
    } catch (error) {
      observer.onFault(`schedule ${this.scheduleId}: recovery failed`, error);
      this.#failMailbox('store-unavailable');
      return this.#wakeLater();
    }
    this.#drainOrWake();
  }

  #load(): Promise<StoredSchedule> {
    return this.#context.load(this.scheduleId);
  }

  #drainOrWake(): void {
    for (const task of this.#mailbox.drain()) this.enqueue(task);
  }

  #failMailbox(code: UnavailableCode): void {
    for (const task of this.#mailbox.drain()) task.fail(code);
  }

  /** Open holds must end in time even if nobody calls; a store that is down is not asked in a busy loop. */
  #wakeLater(): void {
    if (this.#wakeTimer !== undefined) return;
    const delayMs = Math.min(100 * 2 ** this.#wakeFailures, 5_000);
    this.#wakeFailures += 1;
    this.#wakeTimer = this.#context.clock.setTimer(delayMs, () => {
      this.#wakeTimer = undefined;
      this.wake();
    });
  }

  #armExpiry(awake: Awake): void {
    const nextMs = awake.state.expiries.nextExpiryMs;
    if (this.#expiryTimer !== undefined || nextMs === Number.POSITIVE_INFINITY) return;
    const delayMs = Math.min(
      Math.max(nextMs - this.#context.clock.nowMs(), timerDelayMsMin),
      timerDelayMsMax,
    );
    this.#expiryTimer = this.#context.clock.setTimer(delayMs, () => {
      this.#expiryTimer = undefined;
      const current = this.#isPaused ? undefined : this.#usable();
      if (current !== undefined) {
        this.#guard({ run: (own) => this.#expireDue(own, this.#now(own.state)), fail: () => {} }, current);
      }
      if (this.#awake !== undefined) this.#armExpiry(this.#awake);
    });
  }

  #now(state: ScheduleState): number {
    return Math.max(this.#context.clock.nowMs(), state.lastAtMs);
  }
}

/** A clock that jumps must not leave a hold waiting for longer than this. */
const timerDelayMsMax = 1_000;
/** Nor may a hold that can't end just now, in an audit, keep the loop busy. */
const timerDelayMsMin = 5;

export interface ActorContext {
  readonly clock: Clock;
  readonly commits: GroupCommit;
  readonly ownership: Ownership;
  readonly observer: RuntimeObserver;
  readonly mailboxMax: number;
  terms(scheduleId: ScheduleId): Promise<ScheduleTerms>;
  load(scheduleId: ScheduleId): Promise<StoredSchedule>;
  /** A payment that was open when this actor recovered: S1 or S2 may be missing. It is on disk. */
  resumePayment(begun: BegunPayment): void;
  /** Why no payment may begin now; undefined when one may. */
  refusePayment(method: PaymentMethod): UnavailableCode | undefined;
  /** The durable number of free seats, as of the event `seq`. */
  publishAvailable(scheduleId: ScheduleId, available: number, seq: number): void;
}

interface Task {
  run(awake: Awake): void;
  fail(code: UnavailableCode): void;
}

interface Awake {
  readonly state: ScheduleState;
  readonly availability: AvailabilityView;
  /** Decided, not yet on disk, by seq. */
  readonly changes: SeatChange[];
}

const addsEntry = (intent: Intent): boolean =>
  intent.kind === 'hold' || intent.kind === 'hold-best' || intent.kind === 'extend' || intent.kind === 'pay';

const stamped = (intent: Intent, nowMs: number): Command => ({ ...intent, nowMs });

const toCounts = (state: ScheduleState): ScheduleCounts => ({
  seq: state.seq,
  capacity: state.terms.map.seatCount,
  free: state.free.count,
  ...state.seatCounts,
});
