import type { Intent } from '../allocator/command.ts';
import type { PaymentId, ScheduleId } from '../allocator/ids.ts';
import type { PaymentFailure, PaymentMethod } from '../allocator/payment.ts';
import type { RejectionCode } from '../allocator/rejection.ts';
import type { UnavailableCode } from './outcome.ts';

/** What the runtime tells whoever watches it. Called on the hot path: must be cheap and never throw. */
export interface RuntimeObserver {
  onBatch(rows: number, durationMs: number, outcome: BatchOutcome): void;
  onDecision(kind: Intent['kind'], code: DecisionCode): void;
  /** Holds that ended by their time. */
  onExpired(holds: number): void;
  onRecovery(scheduleId: ScheduleId, durationMs: number, liveSeats: number): void;
  /** A payment has come to its next boundary: what is named is on disk, but for `s0-decided`. */
  onPaymentStep(step: PaymentStep, paymentId: PaymentId): void;
  /** A payment is over; since S0, or since this process took it on. */
  onPayment(method: PaymentMethod, outcome: PaymentOutcome, durationMs: number): void;
  /** Something broke and was contained; `error` says what. */
  onFault(fault: string, error: unknown): void;
}

/** s1-opened and s1-charged are a card's: recorded before the gateway is called; answered by it. */
export type PaymentStep =
  | 's0-decided'
  | 's0-durable'
  | 's1-opened'
  | 's1-charged'
  | 's1-durable'
  | 's2-durable'
  | 'refunded';
export type PaymentOutcome = 'approved' | PaymentFailure['reason'];
export type BatchOutcome = 'committed' | 'fenced' | 'lost';
export type DecisionCode = 'ok' | 'replayed' | 'unchanged' | RejectionCode | UnavailableCode;

export const silentObserver: RuntimeObserver = {
  onBatch: () => {},
  onDecision: () => {},
  onExpired: () => {},
  onRecovery: () => {},
  onPaymentStep: () => {},
  onPayment: () => {},
  onFault: () => {},
};
