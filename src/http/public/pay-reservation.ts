import { assert } from '../../actors/allocator/assert.ts';
import type { IdempotencyKey, UserId } from '../../actors/allocator/ids.ts';
import type { AllocatorService } from '../../actors/runtime/allocator-service.ts';
import type { PaymentRequest } from '../../actors/runtime/payment-request.ts';
import { invalidRequest, type Problem } from '../answer/problem.ts';
import { fingerprintOfPayment } from '../input/idempotency-fingerprint.ts';
import { type PayRequest, payRequest } from '../input/request-schemas.ts';
import { readUsualPayment } from '../input/usual-payment.ts';
import { validate } from '../input/validation.ts';
import type { HotOperation } from './hot-post.ts';

/** POST /reservations/pay: 200 when it is paid, 202 when that takes longer than anybody is kept waiting. */
export function payReservation(
  service: Pick<AllocatorService, 'pay' | 'takesCards'>,
): HotOperation<PayRequest> {
  return {
    scope: 'pay',
    subject: 'reservation',
    readBody: (input) => readUsualPayment(input) ?? readAnyPayment(input, service.takesCards),
    submit: (userId, key, body, reply) => service.pay(paymentOf(userId, key, body), reply),
    statusOf: ({ status }) => {
      assert(status === 'PAID' || status === 'PAYING', 'a payment that is not refused is made or under way');
      return status === 'PAID' ? 200 : 202;
    },
  };
}

function readAnyPayment(input: unknown, takesCards: boolean): PayRequest | Problem {
  const checked = validate(payRequest, input);
  if (!checked.ok) return checked.problem;
  return checked.value.method === 'card' && !takesCards ? noCards : checked.value;
}

const noCards = invalidRequest([{ path: 'method', message: 'must be points: this service takes no cards' }]);

function paymentOf(userId: UserId, key: IdempotencyKey | undefined, body: PayRequest): PaymentRequest {
  const { reservationId: ref, method, cardToken } = body;
  const idempotency = key && { key, fingerprint: fingerprintOfPayment(body) };
  const wish = idempotency === undefined ? { ref, userId } : { ref, userId, idempotency };
  if (method === 'points') return { ...wish, method };
  assert(cardToken !== undefined, 'a payment by card names the card');
  return { ...wish, method, cardToken };
}
