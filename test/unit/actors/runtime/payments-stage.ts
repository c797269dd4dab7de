import type { Intent } from '../../../../src/actors/allocator/command.ts';
import type { ScheduleId } from '../../../../src/actors/allocator/ids.ts';
import type { PaymentMethod } from '../../../../src/actors/allocator/payment.ts';
import type { ReservationStatus } from '../../../../src/actors/allocator/reservation.ts';
import type { BegunPayment, PaymentStanding } from '../../../../src/actors/runtime/begun-payment.ts';
import type { CardGateway } from '../../../../src/actors/runtime/card-gateway.ts';
import type { PaymentOrder, PaymentRecord } from '../../../../src/actors/runtime/ledger.ts';
import {
  type Outcome,
  type Reply,
  type ReservationView,
  type UnavailableCode,
  unavailable,
} from '../../../../src/actors/runtime/outcome.ts';
import type { PaymentActors } from '../../../../src/actors/runtime/payment-driver.ts';
import { Payments } from '../../../../src/actors/runtime/payments.ts';
import { type RuntimeObserver, silentObserver } from '../../../../src/actors/runtime/runtime-observer.ts';
import { reservationNumber, user } from '../allocator/schedule-script.ts';
import { Answer } from './actor-stage.ts';
import { ManualClock } from './manual-clock.ts';
import { ScriptedGateway } from './scripted-gateway.ts';
import { ScriptedLedger } from './scripted-ledger.ts';

export const paymentId = '7-1-2';
const waitMaxMs = 60_000;
export const openMax = 3;

/** An actor with one reservation, which is being paid for: number 1 of schedule 7, Ann's, for 4,500. */
class ScriptedActors implements PaymentActors {
  status: ReservationStatus = 'PAYING';
  /** What the next calls, of both kinds, are answered instead. */
  refusals: UnavailableCode[] = [];
  hasLost = false;
  isOver = false;
  /** What became of it, as it was told and has taken it. */
  readonly settled: string[] = [];

  submit(_scheduleId: ScheduleId, intent: Intent, reply: Reply): void {
    if (intent.kind !== 'settle-payment') throw new Error('payments settle, and nothing else');
    const refusal = this.refusals.shift();
    if (refusal !== undefined) return reply(unavailable(refusal));
    const { reason } = intent.result;
    if (reason === 'approved' && this.status === 'EXPIRED') {
      return reply({ kind: 'rejected', rejection: { code: 'hold-expired' } });
    }
    this.settled.push(`${intent.number}-${intent.paymentSeq} ${reason}`);
    if (this.status === 'PAYING') this.status = reason === 'approved' ? 'PAID' : 'HELD';
    this.isOver = true;
    reply({ kind: 'reservation', view: viewOf(this.status), replayed: false });
  }

  readPayment(
    _scheduleId: ScheduleId,
    _number: number,
    _paymentSeq: number,
    reply: (standing: PaymentStanding | UnavailableCode) => void,
  ): void {
    const refusal = this.refusals.shift();
    if (refusal !== undefined) return reply(refusal);
    reply(this.isOver ? 'over' : this.status === 'PAYING' ? 'awaited' : 'too-late');
  }

  isLost(): boolean {
    return this.hasLost;
  }
}

/** Payments between a ledger, a gateway and an actor that do what a test says, and everything they say. */
export class PaymentsStage {
  readonly clock = new ManualClock();
  readonly ledger = new ScriptedLedger();
  readonly gateway = new ScriptedGateway();
  readonly actors = new ScriptedActors();
  /** Every boundary, in order; then how the payment ended. */
  readonly steps: string[] = [];
  readonly faults: string[] = [];
  readonly payments: Payments;

  constructor(gateway?: CardGateway) {
    const observer: RuntimeObserver = {
      ...silentObserver,
      onPaymentStep: (step, id) => this.steps.push(id === paymentId ? step : `${step} of ${id}`),
      onPayment: (method, outcome, durationMs) => this.steps.push(`${method} ${outcome} in ${durationMs} ms`),
      onFault: (fault) => this.faults.push(fault),
    };
    this.payments = new Payments({
      ledger: this.ledger,
      gateway: gateway ?? this.gateway,
      actors: this.actors,
      clock: this.clock,
      observer,
      currencyOf: () => 'EUR',
      waitMaxMs,
      openMax,
    });
    this.ledger.balances.set('ann', 10_000);
  }

  begin(method: PaymentMethod = 'points', begun = begunBy(method)): Answer {
    const answer = new Answer();
    const cardToken = method === 'card' ? 'tok_1' : undefined;
    this.payments.begin(begun, cardToken, viewOf('PAYING'), (outcome) => answer.take(outcome));
    return answer;
  }

  join(method: PaymentMethod = 'points'): Answer {
    const answer = new Answer();
    this.payments.join(begunBy(method), viewOf('PAYING'), (outcome) => answer.take(outcome));
    return answer;
  }

  resume(method: PaymentMethod = 'points'): void {
    this.payments.resume(begunBy(method));
  }

  /** What the ledger has of the payment from before. */
  stored(method: PaymentMethod, record: Omit<PaymentRecord, 'paymentId' | 'createdAtMs'>): void {
    const order = orderOf(method);
    this.ledger.orders.set(order.paymentId, order);
    this.ledger.payments.set(order.paymentId, {
      paymentId: order.paymentId,
      createdAtMs: this.clock.nowMs(),
      ...record,
    });
  }

  get balance(): number | undefined {
    return this.ledger.balances.get('ann');
  }

  /** Lets time pass until nothing but callers is waited for, and tells the pauses that were made. */
  async pauses(): Promise<readonly number[]> {
    const pausesMs: number[] = [];
    await this.clock.settle();
    for (;;) {
      const delayMs = this.clock.delaysMs.find((ms) => ms <= 4_000);
      if (delayMs === undefined) return pausesMs;
      pausesMs.push(delayMs);
      await this.clock.advance(delayMs);
    }
  }
}

export const begunBy = (method: PaymentMethod, number = 1): BegunPayment => ({
  scheduleId: 7 as ScheduleId,
  number: reservationNumber(number),
  userId: user('ann'),
  paymentSeq: 2,
  method,
  amountMinor: 4_500,
});

export const orderOf = (method: PaymentMethod): PaymentOrder => ({
  paymentId: paymentId as PaymentOrder['paymentId'],
  scheduleId: 7 as ScheduleId,
  number: reservationNumber(1),
  userId: user('ann'),
  method,
  amountMinor: 4_500,
  currency: 'EUR',
});

const viewOf = (status: ReservationStatus): ReservationView => ({
  scheduleId: 7 as ScheduleId,
  number: reservationNumber(1),
  userId: user('ann'),
  status,
  seats: [0],
  totalMinor: 4_500,
  heldAtMs: 1_000,
  expiresAtMs: 2_000,
  endedAtMs: 0,
  paidAtMs: 0,
  asOfMs: 1_500,
  seq: 2,
});

export const rejection = (answer: Answer): Extract<Outcome, { kind: 'rejected' }>['rejection'] | undefined =>
  answer.outcome?.kind === 'rejected' ? answer.outcome.rejection : undefined;
