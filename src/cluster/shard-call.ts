import type { Intent } from '../actors/allocator/command.ts';
import type { ReservationRef, ScheduleId, UserId } from '../actors/allocator/ids.ts';
import type { AllocatorService, ReadFailure } from '../actors/runtime/allocator-service.ts';
import {
  type AuditCheck,
  type Outcome,
  type ScheduleCounts,
  unavailable,
} from '../actors/runtime/outcome.ts';
import type { PaymentRequest } from '../actors/runtime/payment-request.ts';

/**
 * What only the owner of a schedule can answer, and what it answers: as values that cross the wire as they are. A
 * node of another version may know kinds that this one does not.
 */
export type ShardCall =
  | { readonly kind: 'submit'; readonly scheduleId: ScheduleId; readonly intent: Intent }
  | { readonly kind: 'pay'; readonly payment: PaymentRequest }
  | { readonly kind: 'read'; readonly ref: ReservationRef; readonly userId: UserId }
  | { readonly kind: 'count'; readonly scheduleId: ScheduleId }
  | { readonly kind: 'audit'; readonly scheduleId: ScheduleId };

export type ShardAnswer =
  | Outcome
  | { readonly kind: 'counts'; readonly counts: ScheduleCounts }
  | { readonly kind: 'checks'; readonly checks: readonly AuditCheck[] };

export type AnswerCall = (answer: ShardAnswer) => void;

export function scheduleOf(call: ShardCall): ScheduleId {
  switch (call.kind) {
    case 'pay':
      return call.payment.ref.scheduleId;
    case 'read':
      return call.ref.scheduleId;
    case 'submit':
    case 'count':
    case 'audit':
      return call.scheduleId;
  }
}

/** Whether it may be carried out again though it may have been carried out before: it comes to the same. */
export function isRepeatable(call: ShardCall): boolean {
  switch (call.kind) {
    case 'read':
    case 'count':
    case 'audit':
      return true;
    case 'pay':
      return call.payment.idempotency !== undefined;
    case 'submit':
      return (
        call.intent.kind === 'cancel' ||
        ('idempotency' in call.intent && call.intent.idempotency !== undefined)
      );
  }
}

/** Carries the call out here. `answer` runs once, maybe before this returns. */
export function carryOut(service: Owner, call: ShardCall, answer: AnswerCall): void {
  switch (call.kind) {
    case 'submit':
      return service.submit(call.scheduleId, call.intent, answer);
    case 'pay':
      return service.pay(call.payment, answer);
    case 'read':
      return service.readReservation(call.ref, call.userId, answer);
    case 'count':
      void service
        .countSeats(call.scheduleId)
        .then((counts) => answer('failure' in counts ? outcomeOf(counts) : { kind: 'counts', counts }));
      return;
    case 'audit':
      void service
        .audit(call.scheduleId)
        .then((checks) => answer('failure' in checks ? outcomeOf(checks) : { kind: 'checks', checks }));
  }
}

export type Owner = Pick<AllocatorService, 'submit' | 'pay' | 'readReservation' | 'countSeats' | 'audit'>;

const outcomeOf = ({ failure }: ReadFailure): Outcome =>
  failure === 'not-found' ? { kind: 'rejected', rejection: { code: 'not-found' } } : unavailable(failure);

/** An answer to a read, for a caller who knows failures and no refusals. */
export function failureOf(answer: ShardAnswer): ReadFailure {
  if (answer.kind === 'unavailable') {
    return { failure: answer.code, retryAfterSeconds: answer.retryAfterSeconds };
  }
  return { failure: 'not-found', retryAfterSeconds: 1 };
}

/** Undefined for what is no call that this version knows. */
export function readShardCall(value: unknown): ShardCall | undefined {
  if (typeof value !== 'object' || value === null || !('kind' in value)) return undefined;
  if (!knownKinds.has(value.kind)) return undefined;
  const { payment, ref, scheduleId } = value as Partial<Record<string, { readonly [key: string]: unknown }>>;
  const inRef = value.kind === 'pay' ? payment?.['ref'] : value.kind === 'read' ? ref : { scheduleId };
  const found = (inRef as { readonly scheduleId?: unknown } | undefined)?.scheduleId;
  return Number.isSafeInteger(found) ? (value as ShardCall) : undefined;
}

const knownKinds: ReadonlySet<unknown> = new Set<ShardCall['kind']>([
  'submit',
  'pay',
  'read',
  'count',
  'audit',
]);
