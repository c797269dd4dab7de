import type { Intent } from '../../../src/actors/allocator/command.ts';
import type { Rejection } from '../../../src/actors/allocator/rejection.ts';
import type { ReservationView } from '../../../src/actors/runtime/outcome.ts';
import type { Answer, Request } from '../history.ts';
import type { ModelEvent } from '../model/journal-model.ts';
import { type Case, moments, staleBreaks } from './case.ts';
import { keyRule } from './key-rules.ts';
import { isTrueRefusal, ownReservation } from './refusal-rules.ts';
import { shownPaymentId } from './shown-payment.ts';

type PayRequest = Extract<Request, { kind: 'pay' }>;
type PayIntent = Extract<Intent, { kind: 'pay' }>;

/** Judges what somebody who pays was told: that it is paid, that it goes on, or why not. */
export function checkPayAnswer(given: Case, request: PayRequest, content: Answer): void {
  const intent = intentOf(request);
  switch (content.kind) {
    case 'reservation':
      return content.view.status === 'PAYING'
        ? checkUnderWay(given, intent, content.view)
        : checkPaidAnswer(given, intent, content.view, content.replayed);
    case 'rejected':
      return checkPayRefusal(given, intent, content.rejection);
    default:
      given.blame('no-bug-caught', `a payment was answered with ${content.kind}`);
  }
}

const intentOf = ({ payment: { ref, userId, method, idempotency } }: PayRequest): PayIntent => ({
  kind: 'pay',
  userId,
  number: ref.number,
  method,
  ...(idempotency && { idempotency }),
});

/** I5, I8: paid, as the journal says, by this request or by the same one before. */
function checkPaidAnswer(given: Case, intent: PayIntent, view: ReservationView, replayed: boolean): void {
  const { model, answered, call, blame } = given;
  const event = model.events[view.seq - 1];
  if (event === undefined || view.seq > answered.durableRows) {
    return blame('I2', `paid at seq ${view.seq}: ${answered.durableRows} rows are durable`);
  }
  if (event.type !== 'paid' || event.number !== intent.number || view.status !== 'PAID') {
    return blame('I5', `told that ${intent.number} is ${view.status}, seq ${view.seq} is ${event.type}`);
  }
  if (!isSameRequest(event, intent)) blame('I8', `answered with seq ${view.seq}, which another request made`);
  if (!isAsJournal(given, view))
    blame('I2', `shown ${JSON.stringify(view)}, which is not as the journal says`);
  if (!replayed && view.seq <= call.seenSeq) {
    blame('I8', `seq ${view.seq} was seen before this was asked, and is no replay`);
  }
}

function checkUnderWay(given: Case, intent: PayIntent, view: ReservationView): void {
  const { model, answered, blame } = given;
  const event = model.events[view.seq - 1];
  if (event === undefined || view.seq > answered.durableRows) {
    return blame('I9', `under way at seq ${view.seq}: ${answered.durableRows} rows are durable`);
  }
  if (event.type !== 'paying' || event.number !== intent.number || !isSameRequest(event, intent)) {
    return blame('I8', `told that seq ${view.seq} is its payment, which another request made`);
  }
  if (!isAsJournal(given, view))
    blame('I9', `shown ${JSON.stringify(view)}, which is not as the journal says`);
}

function isSameRequest(event: ModelEvent, { idempotency }: PayIntent): boolean {
  return (
    event.idempotency?.key === idempotency?.key && event.idempotency?.fingerprint === idempotency?.fingerprint
  );
}

function isAsJournal({ model }: Case, view: ReservationView): boolean {
  const own = ownReservation(model.at(view.seq), { number: view.number, userId: view.userId });
  if (own === undefined || view.paymentId !== shownPaymentId(view.scheduleId, own)) return false;
  const fields = [
    'number',
    'status',
    'totalMinor',
    'heldAtMs',
    'expiresAtMs',
    'endedAtMs',
    'paidAtMs',
    'seq',
  ] as const;
  return fields.every((field) => own[field] === view[field]) && own.seats.join() === view.seats.join();
}

/** Refused at S0 by a durable moment; or begun, and then the journal tells of its failure since it was asked. */
function checkPayRefusal(given: Case, intent: PayIntent, rejection: Rejection): void {
  const { model, call, answered, blame } = given;
  const ownFailures = model.events
    .slice(call.seenSeq, answered.durableRows)
    .filter(({ type, number }) => type === 'payment-failed' && number === intent.number);
  const { totalMinor = Number.NaN } = ownReservation(model.latest, intent) ?? {};
  switch (rejection.code) {
    case 'insufficient-points': {
      const isSo = ownFailures.some(({ failure }) => failure?.reason === 'insufficient-points');
      const isShort = rejection.requiredMinor === totalMinor && rejection.balance < totalMinor;
      if (!isSo || !isShort) blame('I5', `refused with ${JSON.stringify(rejection)}, which is not so`);
      return;
    }
    case 'payment-declined': {
      const isSo = ownFailures.some(({ failure }) => failure?.declineCode === rejection.declineCode);
      if (!isSo) blame('I5', `declined with ${rejection.declineCode}, and the journal knows nothing of it`);
      return;
    }
  }
  const isBorneOut = moments(given).some(({ length, moment }) => {
    const rule = keyRule(model, length, intent, moment);
    if (rejection.code === 'idempotency-key-reused') return rule.mayBeReused;
    return rule.mayBeDecided && isTrueRefusal(given.sale, moment, intent, rejection);
  });
  if (!isBorneOut) {
    blame(staleBreaks(given), `refused with ${JSON.stringify(rejection)}, which no durable state bears out`);
  }
}
