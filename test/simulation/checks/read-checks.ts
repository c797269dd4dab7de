import type { ReservationView } from '../../../src/actors/runtime/outcome.ts';
import type { Answer, Request } from '../history.ts';
import { countsOf, nobody } from '../model/journal-model.ts';
import { type Case, lastMoment, moments, staleBreaks } from './case.ts';
import { mayBeForgotten, ownReservation } from './refusal-rules.ts';
import { shownPaymentId } from './shown-payment.ts';

/** I9 for everything that only looks: it was so at a durable moment, and not before what was seen already. */
export function checkReadAnswer(given: Case, content: Answer): void {
  const { blame } = given;
  const { request } = given.call;
  switch (content.kind) {
    case 'availability':
      return checkAvailability(given, content);
    case 'counts':
      return checkCounts(given, content);
    case 'audit':
      // Where another owner has written, memory is rightly found to be another thing than the store.
      if (!given.answered.isOwner && given.world.cluster === undefined) return;
      for (const check of content.checks) {
        if (!check.ok) blame('I11', `the audit found: ${check.invariant} ${check.detail}`);
      }
      return;
    case 'reservation':
      return checkShown(given, request, content.view);
    case 'rejected':
      return checkNotFound(given, request, content.rejection.code);
    default:
      blame('no-bug-caught', `a read was answered with ${content.kind}`);
  }
}

function checkAvailability(given: Case, shown: Extract<Answer, { kind: 'availability' }>): void {
  const { model, sale, answered, blame } = given;
  // A node that does not own the schedule shows a copy: maybe older, and exactly as it was at its seq.
  const isCopy = given.world.cluster !== undefined && !answered.isOwner;
  if (isCopy ? !isDurable(given, shown.seq) : !isInWindow(given, shown.seq)) return;
  const { holders } = model.at(shown.seq);
  const wrong = holders.flatMap((holder, seat) => ((holder === nobody) === shown.isFree[seat] ? [] : [seat]));
  if (wrong.length > 0) blame('I11', `at seq ${shown.seq} the view is wrong about seats ${wrong.join(' ')}`);
  const free = sale.hall.seats.filter((seat) => shown.isFree[seat.ordinal]).map((seat) => seat.seatId);
  if (free.join(' ') !== shown.seatIds.join(' ')) blame('I11', 'the list of seats is not the bitmap');
  if (free.length !== shown.available) blame('I11', `${shown.available} available, ${free.length} shown`);
  const lengths = isCopy
    ? Array.from({ length: answered.durableRows + 1 }, (_, length) => length)
    : moments(given).map(({ length }) => length);
  if (!lengths.some((length) => countsOf(model.at(length)).free === shown.listed)) {
    blame('I9', `${shown.listed} listed as available, which was so at no durable moment`);
  }
}

function checkCounts(given: Case, { counts }: Extract<Answer, { kind: 'counts' }>): void {
  const { model, sale, blame } = given;
  if (!isInWindow(given, counts.seq)) return;
  const expected = countsOf(model.at(counts.seq));
  const fields = ['free', 'held', 'paying', 'paid', 'blocked'] as const;
  const isRight = fields.every((field) => counts[field] === expected[field]);
  if (!isRight || counts.capacity !== sale.hall.seats.length) {
    blame('I11', `counted ${JSON.stringify(counts)}, the journal says ${JSON.stringify(expected)}`);
  }
}

function isInWindow(given: Case, seq: number): boolean {
  const { call, blame } = given;
  if (!isDurable(given, seq)) return false;
  if (seq >= call.seenSeq) return true;
  blame(staleBreaks(given), `shows seq ${seq}, seq ${call.seenSeq} was seen before it was asked`);
  return false;
}

function isDurable({ answered, blame }: Case, seq: number): boolean {
  if (seq <= answered.durableRows) return true;
  blame('I9', `shows seq ${seq}, ${answered.durableRows} rows are durable`);
  return false;
}

function checkShown(given: Case, request: Request, view: ReservationView): void {
  const { model, call, answered, blame } = given;
  if (request.kind !== 'read')
    return blame('no-bug-caught', `${request.kind} was answered with a reservation`);
  const isAsShown = (length: number): boolean => {
    const own = ownReservation(model.at(length), { number: request.ref.number, userId: request.userId });
    return (
      own !== undefined &&
      (
        [
          'number',
          'userId',
          'status',
          'totalMinor',
          'heldAtMs',
          'expiresAtMs',
          'endedAtMs',
          'paidAtMs',
          'seq',
        ] as const
      ).every((field) => own[field] === view[field]) &&
      own.seats.join(' ') === view.seats.join(' ') &&
      view.paymentId === shownPaymentId(view.scheduleId, own)
    );
  };
  const isOld =
    isProjectionAllowed(given, request) &&
    Array.from({ length: answered.durableRows + 1 }, (_, length) => length).some(
      (length) => length >= call.projectedRows && isAsShown(length),
    );
  if (!isOld && !moments(given).some(({ length }) => isAsShown(length))) {
    blame(
      staleBreaks(given),
      `shown ${JSON.stringify(view)}: so at none of the rows ${call.seenSeq} to ${answered.durableRows}`,
    );
  }
  const ends = view.status === 'HELD' || view.status === 'PAYING';
  if (!isOld && ends && view.expiresAtMs <= view.asOfMs) {
    blame('I6', `hold ${view.number} is shown open at ${view.asOfMs}, it was due at ${view.expiresAtMs}`);
  }
}

function checkNotFound(given: Case, request: Request, code: string): void {
  if (request.kind !== 'read' || code !== 'not-found') {
    return given.blame('no-bug-caught', `${request.kind} was refused with ${code}`);
  }
  const wanted = { number: request.ref.number, userId: request.userId };
  const isMissing = moments(given).some(({ moment }) => ownReservation(moment.state, wanted) === undefined);
  if (!isMissing && !isProjectionAllowed(given, request)) {
    given.blame(
      staleBreaks(given),
      `reservation ${wanted.number} of ${wanted.userId} is not found, and is in the journal`,
    );
  }
}

/** What its actor may have forgotten, 24 h after its end, is read from the projection, as far as that has come. */
function isProjectionAllowed(given: Case, request: Extract<Request, { kind: 'read' }>): boolean {
  const moment = lastMoment(given);
  const reservation = moment.state.reservations.get(request.ref.number);
  return reservation !== undefined && mayBeForgotten(moment, reservation);
}
