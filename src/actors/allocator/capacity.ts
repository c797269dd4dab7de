import type { Intent } from './command.ts';
import { idempotencyWindowMs } from './idempotency-window.ts';
import type { ScheduleState } from './state.ts';

/** Reservations, and remembered requests, that one schedule keeps. */
const entriesMax = 1_000_000;

/**
 * Whether a schedule has no room for another reservation or remembered request. Room comes with the next
 * event after the oldest has had its time, so one that can be forgotten counts as room.
 */
export function isFull(state: ScheduleState, nowMs: number): boolean {
  const { idempotency, reservations, ended } = state;
  if (idempotency.size >= entriesMax && idempotency.oldestAtMs + idempotencyWindowMs > nowMs) return true;
  if (reservations.size < entriesMax) return false;
  const oldest = reservations.get(ended.numbers[ended.dropped] ?? 0);
  return oldest === undefined || oldest.endedAtMs + idempotencyWindowMs > nowMs;
}

/** What an actor that is full refuses: it would add a reservation, or a request to remember. */
export const addsEntry = ({ kind }: Pick<Intent, 'kind'>): boolean =>
  kind === 'hold' || kind === 'hold-best' || kind === 'extend' || kind === 'pay';
