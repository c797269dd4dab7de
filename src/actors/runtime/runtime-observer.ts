import type { Intent } from '../allocator/command.ts';
import type { ScheduleId } from '../allocator/ids.ts';
import type { RejectionCode } from '../allocator/rejection.ts';
import type { UnavailableCode } from './outcome.ts';

/** What the runtime tells whoever watches it. Called on the hot path: must be cheap and never throw. */
export interface RuntimeObserver {
  onBatch(rows: number, durationMs: number, outcome: BatchOutcome): void;
  onDecision(kind: Intent['kind'], code: DecisionCode): void;
  /** Holds that ended by their time. */
  onExpired(holds: number): void;
  onRecovery(scheduleId: ScheduleId, durationMs: number, liveSeats: number): void;
  /** Something broke and was contained; `error` says what. */
  onFault(fault: string, error: unknown): void;
}

export type BatchOutcome = 'committed' | 'fenced' | 'lost';
export type DecisionCode = 'ok' | 'replayed' | 'unchanged' | RejectionCode | UnavailableCode;

export const silentObserver: RuntimeObserver = {
  onBatch: () => {},
  onDecision: () => {},
  onExpired: () => {},
  onRecovery: () => {},
  onFault: () => {},
};
