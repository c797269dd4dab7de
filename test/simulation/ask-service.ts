import type { AllocatorService, ReadFailure } from '../../src/actors/runtime/allocator-service.ts';
import type { AvailabilityView } from '../../src/actors/runtime/availability-view.ts';
import type { AuditCheck, Outcome, ScheduleCounts } from '../../src/actors/runtime/outcome.ts';
import type { Answer, Request } from './history.ts';

/** Puts a client's request to a node, and copies what it is told: a view goes on changing. */
export function askService(service: Asked, request: Request, answer: (answer: Answer) => void): void {
  switch (request.kind) {
    case 'submit':
      return service.submit(request.scheduleId, request.intent, answer);
    case 'pay':
      return service.pay(request.payment, answer);
    case 'read':
      return service.readReservation(request.ref, request.userId, answer);
    case 'availability':
      return service.readAvailability(request.scheduleId, (result) =>
        answer(
          'failure' in result
            ? toOutcome(result)
            : copyOf(result, service.catalog.available(request.scheduleId)),
        ),
      );
    case 'count':
      void service
        .countSeats(request.scheduleId)
        .then((result: ScheduleCounts | ReadFailure) =>
          answer('failure' in result ? toOutcome(result) : { kind: 'counts', counts: result }),
        );
      return;
    case 'audit':
      void service
        .audit(request.scheduleId)
        .then((result: readonly AuditCheck[] | ReadFailure) =>
          answer('failure' in result ? toOutcome(result) : { kind: 'audit', checks: result }),
        );
  }
}

type Asked = Pick<
  AllocatorService,
  'submit' | 'pay' | 'readReservation' | 'readAvailability' | 'countSeats' | 'audit' | 'catalog'
>;

function copyOf(view: AvailabilityView, listed: number): Answer {
  const bytes = view.toBitmap();
  return {
    kind: 'availability',
    seq: view.seq,
    available: view.available,
    isFree: Array.from(
      { length: view.capacity },
      (_, seat) => (((bytes[seat >>> 3] ?? 0) >>> (seat & 7)) & 1) === 1,
    ),
    seatIds: JSON.parse(view.toSeatIdsJson()),
    listed,
  };
}

const toOutcome = (result: ReadFailure): Outcome =>
  result.failure === 'not-found'
    ? { kind: 'rejected', rejection: { code: 'not-found' } }
    : { kind: 'unavailable', code: result.failure, retryAfterSeconds: result.retryAfterSeconds };
