import type { Intent } from '../allocator/command.ts';
import type { ScheduleEvent } from '../allocator/event.ts';
import type { ScheduleState } from '../allocator/state.ts';
import { begunPayment } from './begun-payment.ts';
import type { Outcome } from './outcome.ts';
import { viewOf } from './reservation-view.ts';

/** What a command that was not refused came to. @param state after its events. */
export function outcomeOf(
  state: ScheduleState,
  intent: Intent,
  events: readonly ScheduleEvent[],
  nowMs: number,
): Outcome {
  const event = events[0];
  const number = event !== undefined && 'number' in event ? event.number : undefined;
  const reservation = state.reservations.get(
    intent.kind === 'settle-payment' ? intent.number : (number ?? 0),
  );
  if (reservation !== undefined && intent.kind !== 'cancel') {
    const view = viewOf(state, reservation, nowMs);
    return intent.kind === 'pay'
      ? { kind: 'payment-begun', begun: begunPayment(state.terms.scheduleId, reservation), view }
      : { kind: 'reservation', view, replayed: false };
  }
  if (intent.kind === 'settle-payment') return { kind: 'rejected', rejection: { code: 'not-found' } };
  if (intent.kind === 'cancel') return { kind: 'cancelled' };
  const seats = event?.type === 'blocked' || event?.type === 'unblocked' ? event.seats : [];
  return {
    kind: 'blocks-changed',
    seatIds: seats.map((seat) => state.terms.map.seatIds[seat] as string),
    seq: state.seq,
  };
}
