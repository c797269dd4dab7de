import { assert } from '../allocator/assert.ts';
import { formatPaymentId, type PaymentId, type ScheduleId } from '../allocator/ids.ts';
import type { PaymentMethod } from '../allocator/payment.ts';
import type { BegunPayment } from './begun-payment.ts';
import { noGateway } from './card-gateway.ts';
import {
  type Outcome,
  type Reply,
  type ReservationView,
  type UnavailableCode,
  unavailable,
} from './outcome.ts';
import { type DriverSurroundings, PaymentDriver, type PaymentOrigin } from './payment-driver.ts';

/**
 * The payments of a node that are not over, and those who wait for them (I5):
 *
 *   S0  the actor: HELD → PAYING, on disk before anything else happens
 *   S1  the ledger: points are debited; or a card's payment is recorded, charged, and recorded again
 *   S2  the actor: PAYING → PAID, or back to HELD; or EXPIRED long since, and then S1 is undone
 *
 * Each has one driver here (payment-driver.ts), from S0 on, or from when its actor found it open in recovery.
 * Whoever waits is told the end, or after a while that it goes on. A payment never waits for its caller.
 */
export class Payments {
  readonly #options: PaymentsOptions;
  readonly #open = new Map<PaymentId, OpenPayment>();
  #isStopped = false;
  #onAnswered: (() => void)[] = [];

  constructor(options: PaymentsOptions) {
    this.#options = options;
  }

  /** Payments that are not over. */
  get open(): number {
    return this.#open.size;
  }

  get takesCards(): boolean {
    return this.#options.gateway !== noGateway;
  }

  /** Why no payment may begin now; asked before S0, so that nothing has happened yet. */
  refusal(method: PaymentMethod): UnavailableCode | undefined {
    const { ledger, gateway, openMax } = this.#options;
    if (this.#isStopped) return 'not-ready';
    if (ledger.isFailing) return 'store-unavailable';
    if (ledger.isOverloaded || this.#open.size >= openMax) return 'overloaded';
    if (method === 'points' || gateway.standing === 'ready') return undefined;
    return gateway.standing === 'overloaded' ? 'overloaded' : 'gateway-unavailable';
  }

  /** Takes a payment on whose S0 has just come to the disk. @param view of the reservation, PAYING. */
  begin(begun: BegunPayment, cardToken: string | undefined, view: ReservationView, reply: Reply): void {
    if (this.#isStopped) return reply(unavailable('not-ready'));
    this.#options.observer.onPaymentStep('s0-durable', idOf(begun));
    const payment = this.#add(
      begun,
      cardToken === undefined ? { kind: 'points' } : { kind: 'card', cardToken },
    );
    this.#wait(payment, view, reply, false);
    void payment.driver.drive();
  }

  /** Waits with those who wait already: the same request again, or one whose first sender is gone. */
  join(begun: BegunPayment, view: ReservationView, reply: Reply): void {
    this.resume(begun);
    const payment = this.#open.get(idOf(begun));
    if (payment === undefined) return reply(unavailable('not-ready'));
    this.#wait(payment, view, reply, true);
  }

  /** Takes on what an actor has found open when it recovered, unless it is in hand already. */
  resume(begun: BegunPayment): void {
    if (this.#isStopped || this.#open.has(idOf(begun))) return;
    void this.#add(begun, { kind: 'resumed' }).driver.drive();
  }

  /** Resolves when nobody waits: within waitMaxMs, if nobody comes. */
  async whenAnswered(): Promise<void> {
    while ([...this.#open.values()].some(({ waiting }) => waiting.length > 0)) {
      await new Promise<void>((resolve) => this.#onAnswered.push(resolve));
    }
  }

  /**
   * Resolves when nobody waits for a payment of these schedules: whoever still does after `patienceMs` is told that
   * it goes on.
   */
  async answerAll(isOf: (scheduleId: ScheduleId) => boolean, patienceMs: number): Promise<void> {
    const { clock } = this.#options;
    const untilMs = clock.monotonicMs() + patienceMs;
    const isAwaited = () => this.#openOf(isOf).some(({ waiting }) => waiting.length > 0);
    while (isAwaited() && clock.monotonicMs() < untilMs) {
      await new Promise<void>((resolve) => {
        this.#onAnswered.push(resolve);
        clock.setTimer(untilMs - clock.monotonicMs(), resolve);
      });
    }
    for (const { waiting } of this.#openOf(isOf)) for (const each of [...waiting]) each.goOn();
  }

  /** Leaves the payments of these schedules as they stand: whoever owns them by now takes them on. */
  letGo(isOf: (scheduleId: ScheduleId) => boolean): void {
    this.#letGo(this.#openOf(isOf), 'shard-moving');
  }

  /** Leaves everything as it stands: the next start takes it on. */
  stop(): void {
    this.#isStopped = true;
    this.#letGo([...this.#open.values()], 'not-ready');
  }

  #letGo(payments: readonly OpenPayment[], code: UnavailableCode): void {
    for (const payment of payments) {
      payment.driver.letGo();
      this.#open.delete(payment.driver.order.paymentId);
      this.#tell(payment, unavailable(code));
    }
  }

  #openOf(isOf: (scheduleId: ScheduleId) => boolean): readonly OpenPayment[] {
    return [...this.#open.values()].filter(({ driver }) => isOf(driver.order.scheduleId));
  }

  #add(begun: BegunPayment, origin: PaymentOrigin): OpenPayment {
    const { scheduleId, number, userId, paymentSeq, method, amountMinor } = begun;
    const paymentId = idOf(begun);
    assert(!this.#open.has(paymentId), 'a payment has one driver here');
    const currency = this.#options.currencyOf(scheduleId);
    const order = { paymentId, scheduleId, number, userId, method, amountMinor, currency };
    const options = {
      ...this.#options,
      onTold: (outcome: Outcome) => this.#tell(payment, outcome),
      onEnd: (outcome: Outcome) => {
        this.#open.delete(paymentId);
        this.#tell(payment, outcome);
      },
    };
    const payment: OpenPayment = {
      driver: new PaymentDriver(options, order, paymentSeq, origin),
      waiting: [],
    };
    this.#open.set(paymentId, payment);
    return payment;
  }

  #wait(payment: OpenPayment, view: ReservationView, reply: Reply, hasJoined: boolean): void {
    const waiting: Waiting = {
      reply,
      hasJoined,
      goOn: () => {
        waiting.timer.cancel();
        payment.waiting = payment.waiting.filter((other) => other !== waiting);
        reply({ kind: 'reservation', view, replayed: false });
        this.#noteAnswered();
      },
      timer: this.#options.clock.setTimer(this.#options.waitMaxMs, () => waiting.goOn()),
    };
    payment.waiting.push(waiting);
  }

  #tell(payment: OpenPayment, outcome: Outcome): void {
    const { waiting } = payment;
    payment.waiting = [];
    for (const { reply, timer, hasJoined } of waiting) {
      timer.cancel();
      reply(outcome.kind === 'reservation' ? { ...outcome, replayed: hasJoined } : outcome);
    }
    this.#noteAnswered();
  }

  #noteAnswered(): void {
    for (const resolve of this.#onAnswered.splice(0)) resolve();
  }
}

/** With noGateway no cards are taken. */
interface PaymentsOptions extends DriverSurroundings {
  currencyOf(scheduleId: ScheduleId): string;
  /** How long a caller waits before it is told that the payment goes on. */
  readonly waitMaxMs: number;
  /** Payments that are not over, beside those whose S0 is on its way to the disk. */
  readonly openMax: number;
}

interface OpenPayment {
  readonly driver: PaymentDriver;
  waiting: Waiting[];
}

interface Waiting {
  readonly reply: Reply;
  readonly hasJoined: boolean;
  /** Tells it that the payment goes on without it. */
  goOn(): void;
  readonly timer: { cancel(): void };
}

const idOf = ({ scheduleId, number, paymentSeq }: BegunPayment): PaymentId =>
  formatPaymentId(scheduleId, number, paymentSeq);
