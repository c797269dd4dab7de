import { assert } from '../allocator/assert.ts';
import type { Intent, SettlePaymentCommand } from '../allocator/command.ts';
import { formatPaymentId, type ReservationNumber, type ScheduleId } from '../allocator/ids.ts';
import type { PaymentFailure, PaymentMethod } from '../allocator/payment.ts';
import type { BegunPayment, PaymentStanding } from './begun-payment.ts';
import { type CardAnswer, type CardGateway, noGateway, type VoidAnswer } from './card-gateway.ts';
import {
  type CardOrder,
  type CardResult,
  insufficientPoints,
  type Ledger,
  LedgerOverloaded,
  LedgerUnavailable,
  type PaymentOrder,
  type PaymentRecord,
} from './ledger.ts';
import {
  type Outcome,
  type Reply,
  type ReservationView,
  type UnavailableCode,
  unavailable,
} from './outcome.ts';
import type { Clock } from './ports.ts';
import type { PaymentStep, RuntimeObserver } from './runtime-observer.ts';

/**
 * The payments of a node that are not over (I5), each driven from S0 to its end:
 *
 *   S0  the actor: HELD → PAYING, on disk before anything else happens
 *   S1  the ledger: points are debited; or a card's payment is recorded, charged, and recorded again
 *   S2  the actor: PAYING → PAID, or back to HELD; or EXPIRED long since, and then S1 is undone
 *
 * Every step may be made again: the actor knows a payment by its seq, the ledger and the gateway by its id.
 * So a step without an answer is simply repeated, here or after a restart, where the actor hands over what
 * it finds open. There S1 is not begun anew: the ledger is asked, and a payment that it has never heard of is
 * cancelled, so that no S1 which was on its way can come after.
 *
 * Whoever waits is told the end, or after a while that it goes on. A payment never waits for its caller.
 */
export class Payments {
  readonly #options: PaymentsOptions;
  /** By payment id. */
  readonly #driven = new Map<string, DrivenPayment>();
  #isStopped = false;
  #onAnswered: (() => void)[] = [];

  constructor(options: PaymentsOptions) {
    this.#options = options;
  }

  /** Payments that are not over. */
  get open(): number {
    return this.#driven.size;
  }

  get takesCards(): boolean {
    return this.#options.gateway !== noGateway;
  }

  /** Why no payment may begin now; asked before S0, so that nothing has happened yet. */
  refusal(method: PaymentMethod): UnavailableCode | undefined {
    const { ledger, gateway, openMax } = this.#options;
    if (this.#isStopped) return 'not-ready';
    if (ledger.isOverloaded || this.#driven.size >= openMax) return 'overloaded';
    if (method === 'points' || gateway.standing === 'ready') return undefined;
    return gateway.standing === 'overloaded' ? 'overloaded' : 'gateway-unavailable';
  }

  /** Takes a payment on whose S0 has just come to the disk. @param view of the reservation, PAYING. */
  begin(begun: BegunPayment, cardToken: string | undefined, view: ReservationView, reply: Reply): void {
    if (this.#isStopped) return reply(unavailable('not-ready'));
    const driven = this.#add(begun, false);
    this.#step('s0-durable', driven);
    this.#wait(driven, view, reply, false);
    void this.#drive(driven, cardToken);
  }

  /** Waits with those who wait already: the same request again, or one whose first sender is gone. */
  join(begun: BegunPayment, view: ReservationView, reply: Reply): void {
    this.resume(begun);
    const driven = this.#driven.get(idOf(begun));
    if (driven === undefined) return reply(unavailable('not-ready'));
    this.#wait(driven, view, reply, true);
  }

  /** Takes on what an actor has found open when it recovered, unless it is in hand already. */
  resume(begun: BegunPayment): void {
    if (this.#isStopped || this.#driven.has(idOf(begun))) return;
    void this.#drive(this.#add(begun, true), undefined);
  }

  /** Resolves when nobody waits: within waitMaxMs, if nobody comes. */
  async whenAnswered(): Promise<void> {
    while ([...this.#driven.values()].some(({ waiting }) => waiting.length > 0)) {
      await new Promise<void>((resolve) => this.#onAnswered.push(resolve));
    }
  }

  /** Leaves everything as it stands: the next start takes it on. */
  stop(): void {
    this.#isStopped = true;
    for (const driven of [...this.#driven.values()]) this.#leave(driven, 'not-ready');
  }

  #add(begun: BegunPayment, isResumed: boolean): DrivenPayment {
    const { paymentSeq, scheduleId, number, userId, method, amountMinor } = begun;
    const paymentId = formatPaymentId(scheduleId, number, paymentSeq);
    const currency = this.#options.currencyOf(scheduleId);
    const driven: DrivenPayment = {
      order: { paymentId, scheduleId, number, userId, method, amountMinor, currency },
      paymentSeq,
      isResumed,
      // A predecessor may have sent it.
      mayBeCharged: isResumed,
      isBegun: false,
      startedMs: this.#options.clock.monotonicMs(),
      waiting: [],
      balance: undefined,
      delayMs: retryDelayMsMin,
    };
    assert(!this.#driven.has(paymentId), 'a payment has one driver');
    this.#driven.set(paymentId, driven);
    return driven;
  }

  /** From S1 on. Never rejects. */
  async #drive(driven: DrivenPayment, cardToken: string | undefined): Promise<void> {
    try {
      let record = await this.#beginLedger(driven, cardToken);
      while (this.#isDriven(driven)) {
        const isOver = await this.#settle(driven, record);
        if (isOver) return;
        record = await this.#goOn(driven, record);
      }
    } catch (error) {
      if (!(error instanceof NoLongerDriven)) {
        this.#options.observer.onFault(`payment ${driven.order.paymentId} is stuck until a restart`, error);
      }
      this.#leave(driven, 'shard-moving');
    }
  }

  /** The ledger's first word. */
  #beginLedger(driven: DrivenPayment, cardToken: string | undefined): Promise<PaymentRecord> {
    const { order } = driven;
    if (driven.isResumed) {
      return this.#untilAnswered(driven, (ledger, nowMs) => ledger.cancelUnlessBegun(order, nowMs));
    }
    if (order.method === 'points') {
      return this.#untilAnswered(driven, (ledger, nowMs) => ledger.payByPoints(order, nowMs));
    }
    assert(cardToken !== undefined, 'a payment by card has a card');
    const cardOrder: CardOrder = { ...order, method: 'card', cardToken };
    return this.#untilAnswered(driven, (ledger, nowMs) => ledger.openCardPayment(cardOrder, nowMs));
  }

  /** S2, if the ledger has decided. True when the payment is over. */
  async #settle(driven: DrivenPayment, record: PaymentRecord): Promise<boolean> {
    if (record.status === 'PENDING') {
      this.#step('s1-opened', driven);
      return false;
    }
    this.#step(record.status === 'REFUNDED' ? 'refunded' : 's1-durable', driven);
    driven.balance = record.balance;
    const result = resultOf(record);
    const outcome = await this.#tellActor(driven, result);
    if (outcome.kind === 'rejected' && result.reason === 'approved') {
      this.#tell(driven, tooLate);
      return false;
    }
    this.#step('s2-durable', driven);
    this.#finish(driven, result, outcome);
    return true;
  }

  /** What comes after a record that is not the end: PENDING, or APPROVED when the seats were gone. */
  #goOn(driven: DrivenPayment, record: PaymentRecord): Promise<PaymentRecord> {
    return record.status === 'PENDING' ? this.#askGateway(driven, record) : this.#giveBack(driven, record);
  }

  /** Until it is known whether the card was charged, or it is certain that it never will be. */
  async #askGateway(driven: DrivenPayment, record: PaymentRecord): Promise<PaymentRecord> {
    const { clock, observer } = this.#options;
    const { order } = driven;
    assert(record.cardToken !== undefined, 'a pending payment has a card');
    const cardOrder: CardOrder = { ...order, method: 'card', cardToken: record.cardToken };
    for (;;) {
      const isOld = clock.nowMs() - record.createdAtMs > gatewayMemoryMs;
      const answer = await this.#ask(driven, cardOrder, isOld);
      switch (answer.kind) {
        case 'approved':
          this.#step('s1-charged', driven);
          return this.#close(driven, { status: 'APPROVED', reference: answer.reference });
        case 'declined':
          this.#step('s1-charged', driven);
          return this.#close(driven, { status: 'DECLINED', declineCode: answer.declineCode });
        case 'voided':
          return this.#close(driven, { status: 'CANCELLED' });
        case 'begun':
          driven.isBegun = true;
          continue;
        case 'not-sent':
          if (!driven.mayBeCharged) {
            const closed = await this.#close(driven, { status: 'CANCELLED', unlessTakenOver: true });
            if (closed.status !== 'PENDING') return closed;
            // Another driver has it as well, and may have got through.
            driven.mayBeCharged = true;
          }
          break;
        case 'unknown':
          driven.mayBeCharged = true;
      }
      observer.onFault(`payment ${order.paymentId}: asking the gateway again`, new Error(answer.reason));
      await this.#pause(driven);
    }
  }

  /**
   * The charge; or, when the seats are gone, what keeps it from being made. What the gateway may have forgotten
   * is looked for first, and a charge that it says to have is asked for once, while it surely remembers.
   */
  async #ask(driven: DrivenPayment, order: CardOrder, isOld: boolean): Promise<CardAnswer | VoidAnswer> {
    const { gateway } = this.#options;
    if (driven.isBegun) {
      driven.isBegun = false;
      return gateway.charge(order);
    }
    const isFresh = this.#options.clock.monotonicMs() - driven.startedMs < freshMs;
    const isAwaited = (isFresh && !driven.mayBeCharged) || (await this.#isAwaited(driven));
    if (!isOld) return isAwaited ? gateway.charge(order) : gateway.void(order);
    const found = await gateway.find(order);
    return found.kind === 'none' ? gateway.void(order) : found;
  }

  async #isAwaited(driven: DrivenPayment): Promise<boolean> {
    const standing = await this.#standing(driven);
    if (standing === 'over') throw new NoLongerDriven();
    if (standing === 'too-late') this.#tell(driven, tooLate);
    return standing === 'awaited';
  }

  #close(driven: DrivenPayment, result: CardResult): Promise<PaymentRecord> {
    const { order } = driven;
    return this.#untilAnswered(driven, (ledger, nowMs) => ledger.closeCardPayment(order, result, nowMs));
  }

  /** Approved, and nothing to sell any more: once, however often it is asked for. */
  async #giveBack(driven: DrivenPayment, record: PaymentRecord): Promise<PaymentRecord> {
    const { gateway, observer } = this.#options;
    const { order } = driven;
    if (order.method === 'points') {
      return this.#untilAnswered(driven, (ledger, nowMs) => ledger.refund(order, nowMs));
    }
    assert(record.reference !== undefined, 'an approval by the gateway has a reference');
    for (;;) {
      const answer = await gateway.refund(order, record.reference);
      if (answer.kind === 'refunded') {
        const { reference } = answer;
        return this.#untilAnswered(driven, (ledger, nowMs) => ledger.refund(order, nowMs, reference));
      }
      observer.onFault(`payment ${order.paymentId}: asking for its refund again`, new Error(answer.reason));
      await this.#pause(driven);
    }
  }

  /** Asks the ledger until it answers: every call of it may be repeated. */
  async #untilAnswered(
    driven: DrivenPayment,
    ask: (ledger: Ledger, nowMs: number) => Promise<PaymentRecord>,
  ): Promise<PaymentRecord> {
    const { ledger, clock, observer } = this.#options;
    for (;;) {
      try {
        const record = await ask(ledger, clock.nowMs());
        driven.delayMs = retryDelayMsMin;
        return record;
      } catch (error) {
        if (!(error instanceof LedgerUnavailable || error instanceof LedgerOverloaded)) throw error;
        observer.onFault(`payment ${driven.order.paymentId}: asking the ledger again`, error);
      }
      await this.#pause(driven);
    }
  }

  /** S2. Repeats until the actor has heard it, or somebody else is the owner. */
  async #tellActor(driven: DrivenPayment, result: SettlePaymentCommand['result']): Promise<Outcome> {
    const { scheduleId, number } = driven.order;
    const { paymentSeq } = driven;
    for (;;) {
      const outcome = await new Promise<Outcome>((resolve) => {
        const intent = { kind: 'settle-payment', number, paymentSeq, result } as const;
        this.#options.actors.submit(scheduleId, intent, resolve);
      });
      if (outcome.kind !== 'unavailable') return outcome;
      await this.#pauseWhileOwned(driven);
    }
  }

  async #standing(driven: DrivenPayment): Promise<PaymentStanding> {
    const { scheduleId, number } = driven.order;
    for (;;) {
      const standing = await new Promise<PaymentStanding | UnavailableCode>((resolve) =>
        this.#options.actors.readPayment(scheduleId, number, driven.paymentSeq, resolve),
      );
      if (standing === 'awaited' || standing === 'too-late' || standing === 'over') return standing;
      await this.#pauseWhileOwned(driven);
    }
  }

  /** A new owner finds the payment open and takes it on; two drivers do no harm, one is enough. */
  async #pauseWhileOwned(driven: DrivenPayment): Promise<void> {
    if (this.#options.actors.isLost(driven.order.scheduleId)) throw new NoLongerDriven();
    await this.#pause(driven);
  }

  async #pause(driven: DrivenPayment): Promise<void> {
    if (!this.#isDriven(driven)) throw new NoLongerDriven();
    const { delayMs } = driven;
    driven.delayMs = Math.min(2 * delayMs, retryDelayMsMax);
    await new Promise<void>((resolve) => this.#options.clock.setTimer(delayMs, resolve));
    if (!this.#isDriven(driven)) throw new NoLongerDriven();
  }

  #isDriven({ order }: DrivenPayment): boolean {
    return !this.#isStopped && this.#driven.has(order.paymentId);
  }

  #finish(driven: DrivenPayment, result: SettlePaymentCommand['result'], outcome: Outcome): void {
    const { order, startedMs } = driven;
    const { observer, clock } = this.#options;
    this.#driven.delete(order.paymentId);
    observer.onPayment(order.method, result.reason, clock.monotonicMs() - startedMs);
    if (result.reason !== 'approved') return this.#tell(driven, failureOutcome(driven, result));
    // Over already, and not paid: another owner has found the seats gone and given the money back.
    const isPaid = outcome.kind === 'reservation' && outcome.view.status === 'PAID';
    this.#tell(driven, isPaid ? outcome : tooLate);
  }

  #leave(driven: DrivenPayment, code: UnavailableCode): void {
    this.#driven.delete(driven.order.paymentId);
    this.#tell(driven, unavailable(code));
  }

  #wait(driven: DrivenPayment, view: ReservationView, reply: Reply, hasJoined: boolean): void {
    const waiting: Waiting = {
      reply,
      hasJoined,
      timer: this.#options.clock.setTimer(this.#options.waitMaxMs, () => {
        driven.waiting = driven.waiting.filter((other) => other !== waiting);
        reply({ kind: 'reservation', view, replayed: false });
        this.#noteAnswered();
      }),
    };
    driven.waiting.push(waiting);
  }

  #tell(driven: DrivenPayment, outcome: Outcome): void {
    const { waiting } = driven;
    driven.waiting = [];
    for (const { reply, timer, hasJoined } of waiting) {
      timer.cancel();
      reply(outcome.kind === 'reservation' ? { ...outcome, replayed: hasJoined } : outcome);
    }
    this.#noteAnswered();
  }

  #noteAnswered(): void {
    for (const resolve of this.#onAnswered.splice(0)) resolve();
  }

  #step(step: PaymentStep, { order }: DrivenPayment): void {
    this.#options.observer.onPaymentStep(step, order.paymentId);
  }
}

/** Between two attempts; I13: no payment is stuck for longer than 10 s after whatever stopped it is over. */
const retryDelayMsMin = 250;
const retryDelayMsMax = 4_000;

/** A payment so young is awaited, and its actor need not be asked. */
const freshMs = 500;

/**
 * How long a gateway is sure to know an idempotency key (Stripe: 24 h), less a margin. Later the same charge
 * might be made again, and a void alone says nothing: the charge is looked for first.
 */
const gatewayMemoryMs = 23 * 60 * 60 * 1000;

interface PaymentsOptions {
  readonly ledger: Ledger;
  /** noGateway: no cards. */
  readonly gateway: CardGateway;
  readonly actors: PaymentActors;
  readonly clock: Clock;
  readonly observer: RuntimeObserver;
  currencyOf(scheduleId: ScheduleId): string;
  /** How long a caller waits before it is told that the payment goes on. */
  readonly waitMaxMs: number;
  /** Payments that are not over. */
  readonly openMax: number;
}

/** The actors of this node, as payments see them. */
export interface PaymentActors {
  submit(scheduleId: ScheduleId, intent: Intent, reply: Reply): void;
  readPayment(
    scheduleId: ScheduleId,
    number: ReservationNumber,
    paymentSeq: number,
    reply: (standing: PaymentStanding | UnavailableCode) => void,
  ): void;
  /** Somebody else owns the schedule. */
  isLost(scheduleId: ScheduleId): boolean;
}

interface DrivenPayment {
  readonly order: PaymentOrder;
  readonly paymentSeq: number;
  readonly isResumed: boolean;
  readonly startedMs: number;
  /** The gateway may have charged: from now on only it can say that it has not. */
  mayBeCharged: boolean;
  /** The gateway has just said that it had the charge before it was told to make none. */
  isBegun: boolean;
  waiting: Waiting[];
  /** Of the account, as the ledger last told. */
  balance: number | undefined;
  /** Until the next attempt of whatever fails. */
  delayMs: number;
}

interface Waiting {
  readonly reply: Reply;
  readonly hasJoined: boolean;
  readonly timer: { cancel(): void };
}

/** Stopped, or driven by somebody else: not an error. */
class NoLongerDriven extends Error {
  override name = 'NoLongerDriven';
}

const idOf = ({ scheduleId, number, paymentSeq }: BegunPayment): string =>
  formatPaymentId(scheduleId, number, paymentSeq);

const tooLate: Outcome = { kind: 'rejected', rejection: { code: 'hold-expired' } };

function resultOf(record: PaymentRecord): SettlePaymentCommand['result'] {
  switch (record.status) {
    case 'APPROVED':
      return { reason: 'approved' };
    case 'DECLINED':
      return record.declineCode === insufficientPoints
        ? { reason: 'insufficient-points' }
        : { reason: 'declined', declineCode: record.declineCode ?? 'unknown' };
    case 'CANCELLED':
      return { reason: 'cancelled' };
    case 'REFUNDED':
      return { reason: 'refunded' };
    case 'PENDING':
      assert(false, 'a pending payment is not settled');
  }
}

/** What a caller is told of a payment that came to nothing. */
function failureOutcome({ order, balance }: DrivenPayment, failure: PaymentFailure): Outcome {
  switch (failure.reason) {
    case 'insufficient-points':
      return {
        kind: 'rejected',
        rejection: { code: 'insufficient-points', balance: balance ?? 0, requiredMinor: order.amountMinor },
      };
    case 'declined':
      return { kind: 'rejected', rejection: { code: 'payment-declined', declineCode: failure.declineCode } };
    case 'cancelled':
      return unavailable(order.method === 'card' ? 'gateway-unavailable' : 'store-unavailable');
    case 'refunded':
      return tooLate;
  }
}
