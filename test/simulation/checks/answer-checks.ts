import type { Intent } from '../../../src/actors/allocator/command.ts';
import type { Answer, Call } from '../history.ts';
import type { JournalModel } from '../model/journal-model.ts';
import type { Invariant, Violation } from '../violation.ts';
import { saleOf, type World } from '../world.ts';
import { type Case, lastMoment, moments, staleBreaks } from './case.ts';
import { keyRule } from './key-rules.ts';
import { checkPayAnswer } from './payment-checks.ts';
import { checkReadAnswer } from './read-checks.ts';
import { isTrueRefusal } from './refusal-rules.ts';
import { checkCancelled, checkReservationAnswer } from './success-checks.ts';

/** Judges one call: answered once, and with something that the journal bears out. */
export function checkCall(world: World, model: JournalModel, call: Call): readonly Violation[] {
  const violations: Violation[] = [];
  const blame = (invariant: Invariant, message: string) =>
    violations.push({ invariant, message: `#${call.operationId}: ${message}` });
  if (call.answers > 1) blame('one-answer', `answered ${call.answers} times`);
  if (call.answer === undefined) {
    if (!call.isLost) blame('one-answer', 'never answered');
    return violations;
  }
  const sale = saleOf(world, call.request.scheduleId);
  judge({ world, sale, model, call, answered: call.answer, blame }, call.answer.content);
  return violations;
}

function judge(given: Case, content: Answer): void {
  const { call, blame } = given;
  if (content.kind === 'unavailable') {
    if (!mayBeBusy(given.world, content) && !call.mayBeRefused)
      blame('I13', `unavailable (${content.code}), and nothing had happened`);
    return;
  }
  if (call.request.kind === 'pay') return checkPayAnswer(given, call.request, content);
  if (call.request.kind !== 'submit') return checkReadAnswer(given, content);
  const { intent } = call.request;
  switch (content.kind) {
    case 'rejected':
      return checkRefusal(given, intent, content);
    case 'reservation':
      return checkReservationAnswer(given, intent, content);
    case 'cancelled':
      return checkCancelled(given, intent);
    case 'blocks-changed':
      return checkBlocksChanged(given, intent, content);
    default:
      blame('no-bug-caught', `a command was answered with ${content.kind}`);
  }
}

/** Where limits are low, too much at once is no fault. */
export const mayBeBusy = (
  { limits, cluster }: World,
  { code }: Extract<Answer, { kind: 'unavailable' }>,
): boolean =>
  code === 'overloaded' && Math.min(limits.mailboxMax, cluster?.limits.parkedCallsMax ?? 100) < 100;

/** I9: some durable moment between the question and the answer bears the refusal out. */
function checkRefusal(
  given: Case,
  intent: Intent,
  { rejection }: Extract<Answer, { kind: 'rejected' }>,
): void {
  const isBorneOut = moments(given).some(({ length, moment }) => {
    const rule = keyRule(given.model, length, intent, moment);
    if (rejection.code === 'idempotency-key-reused') return rule.mayBeReused;
    return rule.mayBeDecided && isTrueRefusal(given.sale, moment, intent, rejection);
  });
  if (isBorneOut) return;
  const now = keyRule(given.model, given.answered.durableRows, intent, lastMoment(given));
  const invariant =
    now.mayBeDecided && rejection.code !== 'idempotency-key-reused' ? staleBreaks(given) : 'I8';
  given.blame(invariant, `refused with ${JSON.stringify(rejection)}, which no durable state bears out`);
}

function checkBlocksChanged(
  given: Case,
  intent: Intent,
  content: Extract<Answer, { kind: 'blocks-changed' }>,
): void {
  const { model, sale, answered, call, blame } = given;
  if (intent.kind !== 'block' && intent.kind !== 'unblock') {
    return blame('no-bug-caught', `${intent.kind} was answered as a block`);
  }
  if (content.seq > answered.durableRows || content.seq < call.seenSeq) {
    return blame('I2', `blocks changed at seq ${content.seq}, which is not durable`);
  }
  const wanted = intent.kind === 'block' ? 'blocked' : 'unblocked';
  if (content.seatIds.length > 0) {
    const event = model.events[content.seq - 1];
    const seats = event?.seats?.map((seat) => sale.hall.seats[seat]?.seatId).join(' ');
    if (event?.type !== wanted || seats !== content.seatIds.join(' ')) {
      blame('I2', `${wanted} ${content.seatIds.join(' ')} is not what seq ${content.seq} says`);
    }
  }
  const { holders } = model.at(content.seq);
  for (const seat of sale.hall.seats) {
    if (!intent.seatIds.includes(seat.seatId)) continue;
    const isBlocked = (holders[seat.ordinal] ?? 0) < 0;
    if (isBlocked !== (intent.kind === 'block'))
      blame('I10', `${seat.seatId} is not ${wanted} with the others`);
  }
}
