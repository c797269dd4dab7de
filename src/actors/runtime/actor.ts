import { addsEntry, isFull } from '../allocator/capacity.ts';
import type { Command, Intent } from '../allocator/command.ts';
import { decide, isRejection } from '../allocator/decide.ts';
import type { ScheduleEvent } from '../allocator/event.ts';
import {
  formatPaymentId,
  type ReservationNumber,
  type ScheduleId,
  type ShardId,
  type UserId,
} from '../allocator/ids.ts';
import type { PaymentMethod } from '../allocator/payment.ts';
import { hasOpenPayment } from '../allocator/reservation.ts';
import type { ScheduleState } from '../allocator/state.ts';
import type { AvailabilityView } from './availability-view.ts';
import { AwakeSchedule } from './awake-schedule.ts';
import { type BegunPayment, begunPayment, type PaymentStanding } from './begun-payment.ts';
import { outcomeOf } from './command-outcome.ts';
import { ExpiryTimer } from './expiry-timer.ts';
import { firstAnswerOf } from './first-answer.ts';
import type { Batch, GroupCommit, Member, Settle } from './group-commit.ts';
import { Mailbox } from './mailbox.ts';
import {
  type Outcome,
  type Reply,
  type ScheduleCounts,
  type UnavailableCode,
  unavailable,
  untouched,
} from './outcome.ts';
import type { Ownership } from './ownership.ts';
import type { Clock, StoredSchedule } from './ports.ts';
import { viewOf } from './reservation-view.ts';
import type { DecisionCode, RuntimeObserver } from './runtime-observer.ts';
import { ScheduleLoader, type ScheduleSource } from './schedule-loader.ts';
import { SeatWatchers } from './seat-watchers.ts';
import type { SealedSchedule, SeatWatcher } from './shard-host.ts';
import { fingerprintOf } from './state-fingerprint.ts';
import { WakeTimer } from './wake-timer.ts';

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
  readonly #watchers = new SeatWatchers();
  readonly #loader: ScheduleLoader;
  readonly #expiryTimer: ExpiryTimer;
  readonly #wakeTimer: WakeTimer;
  #awake: AwakeSchedule | undefined;
  #waking: Promise<void> | undefined;
  /** Commands wait while an audit compares memory with the store, and while the shard is handed over. */
  #pauses = 0;
  /** The directory has another one in its place, or will have: two would both write. */
  #isDismissed = false;
  #lastUsedMs: number;

  constructor(scheduleId: ScheduleId, shardId: ShardId, context: ActorContext) {
    this.scheduleId = scheduleId;
    this.shardId = shardId;
    this.#context = context;
    this.#mailbox = new Mailbox(context.mailboxMax);
    this.#loader = new ScheduleLoader(scheduleId, context);
    this.#expiryTimer = new ExpiryTimer(context.clock, () => this.#onExpiryDue());
    this.#wakeTimer = new WakeTimer(context.clock, () => this.wake());
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
        reply(untouched(code));
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

  get #isPaused(): boolean {
    return this.#pauses > 0;
  }

  /** Recovers, so that open holds end in time even if nobody calls. Safe to call at any time. */
  wake(): void {
    if (this.#usable() !== undefined || this.#waking !== undefined) return;
    const waking = this.#awake === undefined ? this.#recover() : this.#regainTrust();
    this.#waking = waking.finally(() => {
      this.#waking = undefined;
      // A task may have come between the drain and this moment.
      if (this.#mailbox.size > 0 && !this.#isPaused) this.wake();
    });
  }

  /** Tells `watcher` of the free seats from now on. @returns ends it. */
  watch(watcher: SeatWatcher): () => void {
    let isOver = false;
    this.enqueue({
      run: ({ availability }) => {
        if (!isOver) this.#watchers.add(watcher, availability);
      },
      fail: () => {
        if (!isOver) watcher.onEnd();
      },
    });
    return () => {
      isOver = true;
      this.#watchers.remove(watcher);
    };
  }

  /** Loads what is on disk, for when the shard comes. Nothing is shown of it before it has caught up. */
  async preload(): Promise<void> {
    if (this.#awake !== undefined) return;
    this.#lastUsedMs = this.#context.clock.monotonicMs();
    await this.#loader.preload();
  }

  /** Decides nothing more until `resume`. Each pause needs a resume of its own. */
  pause(): void {
    this.#pauses += 1;
  }

  resume(): void {
    this.#pauses -= 1;
    if (!this.#isPaused) this.#drainOrWake();
  }

  /**
   * Of a paused actor: resolves, when all that was decided is on disk, with what is in memory; undefined when nothing
   * is. Rejects when something was lost meanwhile.
   */
  async sealed(): Promise<SealedSchedule | undefined> {
    await this.whenRecovered();
    // Its holds may be open, and whoever takes the shard would not hear of them.
    if (this.#wakeTimer.isSet) throw new Error(`schedule ${this.scheduleId} has not recovered`);
    const result = await new Promise<'durable' | UnavailableCode>((resolve) => this.#whenDurable(resolve));
    if (result !== 'durable') throw new Error(`schedule ${this.scheduleId} was not sealed: ${result}`);
    const state = this.#awake?.state;
    return state && { scheduleId: this.scheduleId, seq: state.seq, fingerprint: fingerprintOf(state) };
  }

  /** The shard is somebody else's: what waits is told so, nothing is remembered, and it never wakes again. */
  dismiss(): void {
    this.#isDismissed = true;
    this.#context.commits.withdraw(this, 'shard-moving');
    this.sleep();
    this.#failMailbox('shard-moving');
  }

  /** Of what is in memory; undefined while asleep. */
  get fingerprint(): number | undefined {
    return this.#awake && fingerprintOf(this.#awake.state);
  }

  /** Seats by state, as of one durable moment. */
  async countSeats(): Promise<ScheduleCounts | UnavailableCode> {
    if (this.#isOverloaded()) return 'overloaded';
    return new Promise((resolve) => {
      this.enqueue({
        run: (awake) => {
          const counts = awake.counts();
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
          this.pause();
          this.#whenDurable((result) => resolve(result === 'durable' ? 'ready' : result));
        },
        fail: resolve,
      });
    });
    try {
      if (ready !== 'ready') return ready;
      const [stored, beside] = await Promise.all([this.#context.load(this.scheduleId), loadBeside()]);
      return this.#awake === undefined ? 'store-unavailable' : look(this.#awake.state, stored, beside);
    } finally {
      if (hasPaused) this.resume();
    }
  }

  /** Idle, nothing open and nothing on its way: its memory may go. */
  isIdle(idleMs: number): boolean {
    return (
      this.newestBatch === undefined &&
      this.#waking === undefined &&
      !this.#isPaused &&
      this.#mailbox.size === 0 &&
      !this.#wakeTimer.isSet &&
      this.#watchers.size === 0 &&
      (this.#awake === undefined || this.#awake.state.expiries.size === 0) &&
      this.#context.clock.monotonicMs() - this.#lastUsedMs >= idleMs
    );
  }

  /** Forgets its memory and its timers. What it decided stays in its batches. */
  sleep(): void {
    this.#awake = undefined;
    this.#loader.forget();
    this.#watchers.end();
    this.#expiryTimer.cancel();
    this.#wakeTimer.cancel();
  }

  onDurable(seq: number): void {
    const awake = this.#awake;
    if (awake === undefined) return;
    awake.onDurable(seq, (change) => this.#watchers.tell(change));
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

  /**
   * Awake and still the owner, as far as the store has said lately; a shard that is no longer ours takes the memory
   * with it.
   */
  #usable(): AwakeSchedule | undefined {
    if (this.#awake === undefined) return undefined;
    const { ownership } = this.#context;
    if (ownership.standing(this.shardId) === 'owned') {
      return ownership.isTrusted(this.shardId) ? this.#awake : undefined;
    }
    this.#context.commits.withdraw(this, 'shard-moving');
    this.onLost();
    return undefined;
  }

  #run(awake: AwakeSchedule, intent: Intent, reply: Reply): void {
    const { state } = awake;
    const nowMs = this.#now(state);
    this.#expireDue(awake, nowMs);
    const first = firstAnswerOf(state, intent, nowMs);
    if (first !== undefined) return this.#answer(intent, first.code, reply, first.outcome);
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
    awake.apply(decision);
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

  #expireDue(awake: AwakeSchedule, nowMs: number): void {
    while (awake.state.expiries.nextExpiryMs <= nowMs) {
      const events = decide(awake.state, { kind: 'expire', nowMs }) as readonly ScheduleEvent[];
      awake.apply(events);
      this.#context.observer.onExpired(events.length);
      this.#context.commits.append(this, events, () => {});
    }
  }

  /** A bug must not leave half-changed memory behind: it is dropped, and the store tells what is true. */
  #guard(task: Task, awake: AwakeSchedule): void {
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
      const awake = new AwakeSchedule(await this.#loader.load());
      if (this.#isDismissed) return this.#failMailbox('shard-moving');
      this.#awake = awake;
      const { state } = awake;
      this.#context.publishAvailable(this.scheduleId, state.free.count, state.seq);
      this.#wakeTimer.onAwake();
      observer.onRecovery(
        this.scheduleId,
        clock.monotonicMs() - startedMs,
        state.terms.map.seatCount - state.free.count,
      );
      this.#armExpiry(awake);
      for (const reservation of state.reservations.values()) {
        if (hasOpenPayment(reservation))
          this.#context.resumePayment(begunPayment(state.terms.scheduleId, reservation));
      }
    } catch (error) {
      observer.onFault(`schedule ${this.scheduleId}: recovery failed`, error);
      this.#failMailbox(this.#isDismissed ? 'shard-moving' : 'store-unavailable');
      return this.#wakeLater();
    }
    this.#drainOrWake();
  }

  /** What is in memory is good while the shard is ours; whether it still is, the store has not said for a while. */
  async #regainTrust(): Promise<void> {
    const { ownership, observer } = this.#context;
    const isInDoubt = () =>
      ownership.standing(this.shardId) === 'owned' && !ownership.isTrusted(this.shardId);
    try {
      // An answer that was under way may be too old by the time it comes.
      for (let asked = 0; asked < 2 && isInDoubt(); asked++) await ownership.confirm();
    } catch (error) {
      observer.onFault(`schedule ${this.scheduleId}: the store does not say whose it is`, error);
    }
    if (isInDoubt()) this.#failMailbox('store-unavailable');
    else this.#drainOrWake();
  }

  #drainOrWake(): void {
    for (const task of this.#mailbox.drain()) this.enqueue(task);
  }

  #failMailbox(code: UnavailableCode): void {
    for (const task of this.#mailbox.drain()) task.fail(code);
  }

  /** Open holds must end in time even if nobody calls. */
  #wakeLater(): void {
    if (!this.#isDismissed) this.#wakeTimer.arm();
  }

  #onExpiryDue(): void {
    const awake = this.#isPaused ? undefined : this.#usable();
    if (awake !== undefined) {
      this.#guard({ run: (own) => this.#expireDue(own, this.#now(own.state)), fail: () => {} }, awake);
    }
    if (this.#awake !== undefined) this.#armExpiry(this.#awake);
  }

  #armExpiry({ state }: AwakeSchedule): void {
    this.#expiryTimer.arm(state.expiries.nextExpiryMs);
  }

  #now(state: ScheduleState): number {
    return Math.max(this.#context.clock.nowMs(), state.lastAtMs);
  }
}

export interface ActorContext extends ScheduleSource {
  readonly clock: Clock;
  readonly commits: GroupCommit;
  readonly ownership: Ownership;
  readonly observer: RuntimeObserver;
  readonly mailboxMax: number;
  /** A payment that was open when this actor recovered: S1 or S2 may be missing. It is on disk. */
  resumePayment(begun: BegunPayment): void;
  /** Why no payment may begin now; undefined when one may. */
  refusePayment(method: PaymentMethod): UnavailableCode | undefined;
  /** The durable number of free seats, as of the event `seq`. */
  publishAvailable(scheduleId: ScheduleId, available: number, seq: number): void;
}

interface Task {
  run(awake: AwakeSchedule): void;
  fail(code: UnavailableCode): void;
}

const stamped = (intent: Intent, nowMs: number): Command => ({ ...intent, nowMs });
