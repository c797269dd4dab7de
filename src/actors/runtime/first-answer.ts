import { assert } from '../allocator/assert.ts';
import type { Intent } from '../allocator/command.ts';
import type { ScheduleState } from '../allocator/state.ts';
import { begunPayment } from './begun-payment.ts';
import type { Outcome } from './outcome.ts';
import { replayOf, viewOf } from './reservation-view.ts';

interface FirstAnswer {
  readonly code: 'replayed' | 'idempotency-key-reused';
  readonly outcome: Outcome;
}

/** What a request under a key that is remembered is answered (I8); undefined for a new one. */
export function firstAnswerOf(state: ScheduleState, intent: Intent, nowMs: number): FirstAnswer | undefined {
  const memo = 'idempotency' in intent ? intent.idempotency : undefined;
  if (memo === undefined || !('userId' in intent)) return undefined;
  const first = state.idempotency.find(intent.userId, memo, nowMs);
  if (first === undefined) return undefined;
  if (first.fingerprint !== memo.fingerprint) {
    const rejection = { code: 'idempotency-key-reused' } as const;
    return { code: 'idempotency-key-reused', outcome: { kind: 'rejected', rejection } };
  }
  if (first.kind !== 'paying') {
    return {
      code: 'replayed',
      outcome: { kind: 'reservation', view: replayOf(state, first), replayed: true },
    };
  }
  // Not over yet: the caller waits for it with the first one.
  const reservation = state.reservations.get(first.number);
  assert(reservation !== undefined, 'a reservation with an open payment is in memory');
  const view = viewOf(state, reservation, nowMs);
  const begun = begunPayment(state.terms.scheduleId, reservation);
  return { code: 'replayed', outcome: { kind: 'payment-joined', begun, view } };
}
