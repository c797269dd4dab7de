import { assert } from '../allocator/assert.ts';
import type { Intent, SettlePaymentCommand } from '../allocator/command.ts';
import type { ReservationNumber, ScheduleId } from '../allocator/ids.ts';
import type { PaymentStanding } from './begun-payment.ts';
import type { CardAnswer, CardGateway, VoidAnswer } from './card-gateway.ts';
import {
  type CardOrder,
  type CardResult,
  type Ledger,
  LedgerOverloaded,
  LedgerUnavailable,
  type PaymentOrder,
  type PaymentRecord,
} from './ledger.ts';
import { type Outcome, type Reply, type UnavailableCode, unavailable } from './outcome.ts';
import { failedPayment, paymentResult, tooLate } from './payment-result.ts';
import type { Clock } from './ports.ts';
import type { PaymentStep, RuntimeObserver } from './runtime-observer.ts';

/**
 * Drives one payment from S1 to its end (I5); its S0 is on disk. A step without an answer is made again: the
 * actor knows the payment by its seq, the ledger and the gateway by its id, and each carries a step out once.
 *
 * A driver that takes the payment on does not begin S1 anew: it asks the ledger, and a payment that the ledger
 * has never heard of is cancelled, so that no S1 which was on its way can come after. Two drivers of one
 * payment, one of them in a frozen process, do no harm: neither acts on what it knows of itself alone.
 *
 * Ends by `onEnd`, once. Before that it may tell those who wait that it is too late, by `onTold`.
 */
export class PaymentDriver {
  readonly order: PaymentOrder;
  readonly #options: DriverOptions;
  readonly #origin: PaymentOrigin;
  readonly #paymentSeq: number;
  readonly #startedMs: number;
  /** The gateway may have charged: from now on only it can say that it has not. */
  #mayBeCharged: boolean;
  /** The gateway has just said that it had the charge before it was told to make none. */
  #isBegun = false;
  /** Until the next attempt of whatever fails. */
  #delayMs = retryDelayMsMin;
  #faults = 0;
  #isLetGo = false;

  constructor(options: DriverOptions, order: PaymentOrder, paymentSeq: number, origin: PaymentOrigin) {
    this.#options = options;
    this.order = order;
    this.#paymentSeq = paymentSeq;
    this.#origin = origin;
    // A predecessor may have sent it.
    this.#mayBeCharged = origin.kind === 'resumed';
    this.#startedMs = options.clock.monotonicMs();
  }

  /** Never rejects. */
  async drive(): Promise<void> {
    try {
      let record = await this.#begin();
      while (!(await this.#settle(record))) record = await this.#goOn(record);
    } catch (error) {
      if (this.#isLetGo) return;
      if (!(error instanceof NoLongerDriven)) {
        this.#options.observer.onFault(`payment ${this.order.paymentId} is stuck until a restart`, error);
      }
      this.#end(unavailable('shard-moving'));
    }
  }

  /** Leaves the payment as it stands, for a driver after this one. `onEnd` is not called. */
  letGo(): void {
    this.#isLetGo = true;
  }

  /** The ledger's first word. */
  #begin(): Promise<PaymentRecord> {
    const { order } = this;
    switch (this.#origin.kind) {
      case 'resumed':
        return this.#untilAnswered((ledger, nowMs) => ledger.cancelUnlessBegun(order, nowMs));
      case 'points':
        return this.#untilAnswered((ledger, nowMs) => ledger.payByPoints(order, nowMs));
      case 'card': {
        const cardOrder = this.#cardOrder(this.#origin.cardToken);
        return this.#untilAnswered((ledger, nowMs) => ledger.openCardPayment(cardOrder, nowMs));
      }
    }
  }

  /** S2, if the ledger has decided. True when the payment is over. */
  async #settle(record: PaymentRecord): Promise<boolean> {
    if (record.status === 'PENDING') {
      this.#step('s1-opened');
      return false;
    }
    this.#step(record.status === 'REFUNDED' ? 'refunded' : 's1-durable');
    const result = paymentResult(record);
    const outcome = await this.#tellActor(result);
    if (outcome.kind === 'rejected' && result.reason === 'approved') {
      this.#options.onTold(tooLate);
      return false;
    }
    this.#step('s2-durable');
    const { observer, clock } = this.#options;
    observer.onPayment(this.order.method, result.reason, clock.monotonicMs() - this.#startedMs);
    if (result.reason !== 'approved') this.#end(failedPayment(this.order, result, record.balance));
    // Over already, and not paid: another owner has found the seats gone and given the money back.
    else this.#end(outcome.kind === 'reservation' && outcome.view.status === 'PAID' ? outcome : tooLate);
    return true;
  }

  /** What comes after a record that is not the end: PENDING, or APPROVED when the seats were gone. */
  #goOn(record: PaymentRecord): Promise<PaymentRecord> {
    return record.status === 'PENDING' ? this.#askGateway(record) : this.#giveBack(record);
  }

  /** Until it is known whether the card was charged, or it is certain that it never will be. */
  async #askGateway(record: PaymentRecord): Promise<PaymentRecord> {
    assert(record.cardToken !== undefined, 'a pending payment has a card');
    // No gateway charges nothing.
    if (this.order.amountMinor === 0) return this.#close({ status: 'APPROVED', reference: nothingCharged });
    const order = this.#cardOrder(record.cardToken);
    for (;;) {
      const isOld = this.#options.clock.nowMs() - record.createdAtMs > gatewayMemoryMs;
      const answer = await this.#ask(order, isOld);
      switch (answer.kind) {
        case 'approved':
          this.#step('s1-charged');
          return this.#close({ status: 'APPROVED', reference: answer.reference });
        case 'declined':
          this.#step('s1-charged');
          return this.#close({ status: 'DECLINED', declineCode: answer.declineCode });
        case 'voided':
          return this.#close({ status: 'CANCELLED' });
        case 'begun':
          this.#isBegun = true;
          continue;
        case 'not-sent':
          if (!this.#mayBeCharged) {
            const closed = await this.#close({ status: 'CANCELLED', unlessTakenOver: true });
            if (closed.status !== 'PENDING') return closed;
            // Another driver has it as well, and may have got through.
            this.#mayBeCharged = true;
          }
          break;
        case 'unknown':
          this.#mayBeCharged = true;
      }
      this.#fault('asking the gateway again', new Error(answer.reason));
      await this.#pause();
    }
  }

  /**
   * The charge; or, when the seats are gone, what keeps it from being made. What the gateway may have forgotten
   * is looked for first, and a charge that it says to have is asked for once, while it surely remembers.
   */
  async #ask(order: CardOrder, isOld: boolean): Promise<CardAnswer | VoidAnswer> {
    const { gateway, clock } = this.#options;
    if (this.#isBegun) {
      this.#isBegun = false;
      return gateway.charge(order);
    }
    const isFresh = clock.monotonicMs() - this.#startedMs < freshMs;
    const isAwaited = (isFresh && !this.#mayBeCharged) || (await this.#isAwaited());
    if (!isOld) return isAwaited ? gateway.charge(order) : gateway.void(order);
    const found = await gateway.find(order);
    return found.kind === 'none' ? gateway.void(order) : found;
  }

  async #isAwaited(): Promise<boolean> {
    const standing = await this.#standing();
    if (standing === 'over') throw new NoLongerDriven();
    if (standing === 'too-late') this.#options.onTold(tooLate);
    return standing === 'awaited';
  }

  #close(result: CardResult): Promise<PaymentRecord> {
    return this.#untilAnswered((ledger, nowMs) => ledger.closeCardPayment(this.order, result, nowMs));
  }

  /** Approved, and nothing to sell any more: once, however often it is asked for. */
  async #giveBack(record: PaymentRecord): Promise<PaymentRecord> {
    const { order } = this;
    if (order.method === 'points' || order.amountMinor === 0) {
      return this.#untilAnswered((ledger, nowMs) => ledger.refund(order, nowMs));
    }
    assert(record.reference !== undefined, 'an approval by the gateway has a reference');
    for (;;) {
      const answer = await this.#options.gateway.refund(order, record.reference);
      if (answer.kind === 'refunded') {
        const { reference } = answer;
        return this.#untilAnswered((ledger, nowMs) => ledger.refund(order, nowMs, reference));
      }
      this.#fault('asking for its refund again', new Error(answer.reason));
      await this.#pause();
    }
  }

  /** Asks the ledger until it answers: every call of it may be repeated. */
  async #untilAnswered(
    ask: (ledger: Ledger, nowMs: number) => Promise<PaymentRecord>,
  ): Promise<PaymentRecord> {
    const { ledger, clock } = this.#options;
    for (;;) {
      try {
        const record = await ask(ledger, clock.nowMs());
        if (this.#isLetGo) throw new NoLongerDriven();
        this.#delayMs = retryDelayMsMin;
        return record;
      } catch (error) {
        if (!(error instanceof LedgerUnavailable || error instanceof LedgerOverloaded)) throw error;
        this.#fault('asking the ledger again', error);
      }
      await this.#pause();
    }
  }

  /** S2. Repeats until the actor has heard it, or somebody else is the owner. */
  async #tellActor(result: SettlePaymentCommand['result']): Promise<Outcome> {
    const { scheduleId, number } = this.order;
    const intent = { kind: 'settle-payment', number, paymentSeq: this.#paymentSeq, result } as const;
    for (;;) {
      const outcome = await new Promise<Outcome>((resolve) =>
        this.#options.actors.submit(scheduleId, intent, resolve),
      );
      if (outcome.kind !== 'unavailable') return outcome;
      await this.#pauseWhileOwned();
    }
  }

  async #standing(): Promise<PaymentStanding> {
    const { scheduleId, number } = this.order;
    for (;;) {
      const standing = await new Promise<PaymentStanding | UnavailableCode>((resolve) =>
        this.#options.actors.readPayment(scheduleId, number, this.#paymentSeq, resolve),
      );
      if (standing === 'awaited' || standing === 'too-late' || standing === 'over') return standing;
      await this.#pauseWhileOwned();
    }
  }

  /** A new owner finds the payment open and takes it on; two drivers do no harm, one is enough. */
  async #pauseWhileOwned(): Promise<void> {
    if (this.#options.actors.isLost(this.order.scheduleId)) throw new NoLongerDriven();
    await this.#pause();
  }

  async #pause(): Promise<void> {
    const delayMs = this.#delayMs;
    this.#delayMs = Math.min(2 * delayMs, retryDelayMsMax);
    if (!this.#isLetGo) {
      await new Promise<void>((resolve) => this.#options.clock.setTimer(delayMs, resolve));
    }
    if (this.#isLetGo) throw new NoLongerDriven();
  }

  #end(outcome: Outcome): void {
    if (!this.#isLetGo) this.#options.onEnd(outcome);
  }

  #cardOrder(cardToken: string): CardOrder {
    return { ...this.order, method: 'card', cardToken };
  }

  #step(step: PaymentStep): void {
    this.#options.observer.onPaymentStep(step, this.order.paymentId);
  }

  /** The first, and then ever fewer: an outage has many payments, and each asks for as long as it lasts. */
  #fault(what: string, error: unknown): void {
    this.#faults += 1;
    if ((this.#faults & (this.#faults - 1)) !== 0) return;
    this.#options.observer.onFault(`payment ${this.order.paymentId}: ${what} (${this.#faults})`, error);
  }
}

/** Between two attempts; I13: no payment is stuck for longer than 10 s after whatever stopped it is over. */
const retryDelayMsMin = 250;
const retryDelayMsMax = 4_000;

/** In place of the gateway's reference. */
const nothingCharged = 'nothing-charged';

/** A payment so young is awaited, and its actor need not be asked. */
const freshMs = 500;

/**
 * How long a gateway is sure to know an idempotency key (Stripe: 24 h), less a margin. Later the same charge
 * might be made again, and a void alone says nothing: the charge is looked for first.
 */
const gatewayMemoryMs = 23 * 60 * 60 * 1000;

/** Begun by this process just now, or found open. */
export type PaymentOrigin =
  | { readonly kind: 'points' }
  | { readonly kind: 'card'; readonly cardToken: string }
  | { readonly kind: 'resumed' };

export interface DriverSurroundings {
  readonly ledger: Ledger;
  readonly gateway: CardGateway;
  readonly actors: PaymentActors;
  readonly clock: Clock;
  readonly observer: RuntimeObserver;
}

interface DriverOptions extends DriverSurroundings {
  /** Whoever waits may be told this now; the payment goes on. */
  readonly onTold: (outcome: Outcome) => void;
  /** Nothing more is done for the payment here. */
  readonly onEnd: (outcome: Outcome) => void;
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

/** Let go, or driven by somebody else: not an error. */
class NoLongerDriven extends Error {
  override name = 'NoLongerDriven';
}
