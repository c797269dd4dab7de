import type { Intent } from '../../../src/actors/allocator/command.ts';
import type { ReservationView } from '../../../src/actors/runtime/outcome.ts';
import type { Answer } from '../history.ts';
import { bestRun, bestScattered, eligibleSeats } from '../model/best-available.ts';
import { strandedBy } from '../model/hall.ts';
import { type ModelEvent, type ModelState, nobody } from '../model/journal-model.ts';
import type { Case } from './case.ts';
import { ownReservation, readSeats } from './refusal-rules.ts';

/** A hold or an extension that a client was told of: durable, as told, and what was asked for. */
export function checkReservationAnswer(
  given: Case,
  intent: Intent,
  content: Extract<Answer, { kind: 'reservation' }>,
): void {
  const { model, answered, call, blame } = given;
  const { view, replayed } = content;
  const event = model.events[view.seq - 1];
  if (event === undefined || view.seq > answered.durableRows) {
    return blame(
      'I2',
      `reservation ${view.number} at seq ${view.seq}: ${answered.durableRows} rows are durable`,
    );
  }
  const expected = viewAt(model.at(view.seq), event, view);
  if (JSON.stringify(expected) !== JSON.stringify(shownOf(view))) {
    const invariant = replayed ? 'I8' : 'I2';
    blame(invariant, `told ${JSON.stringify(shownOf(view))}, the journal says ${JSON.stringify(expected)}`);
  }
  const mark = 'idempotency' in intent ? intent.idempotency : undefined;
  if (mark?.fingerprint !== event.idempotency?.fingerprint || mark?.key !== event.idempotency?.key) {
    return blame('I8', `answered with seq ${view.seq}, which another request made`);
  }
  if (replayed) {
    if (mark === undefined) blame('I8', 'a request without a key was answered as a replay');
    return;
  }
  if (view.seq <= call.seenSeq)
    blame('I8', `seq ${view.seq} was seen before this was asked, and is no replay`);
  if (!('userId' in intent) || intent.userId !== view.userId)
    blame('I2', `answered with a reservation of ${view.userId}`);
  checkDecision(given, intent, model.at(view.seq - 1), event);
}

/** Whether the event is what the request asked for, and the best that the state before it had. */
function checkDecision(given: Case, intent: Intent, before: ModelState, event: ModelEvent): void {
  const { sale, blame } = given;
  const isFree = (seat: number) => before.holders[seat] === nobody;
  if (intent.kind === 'extend') {
    if (event.type !== 'extended' || event.number !== intent.number)
      blame('I2', 'something else was extended');
    return;
  }
  if (intent.kind === 'hold') {
    const { known, unknown } = readSeats(sale, intent.seatIds);
    if (unknown.length > 0 || known.join(' ') !== event.seats.join(' ')) {
      blame('I10', `asked for seats ${known.join(' ')}, given ${event.seats.join(' ')}`);
    }
    const stranded = strandedBy(sale.hall, isFree, event.seats);
    if (sale.orphanRule && stranded.length > 0) blame('terms', `it strands ${stranded.join(' ')}`);
    return;
  }
  if (intent.kind !== 'hold-best') return blame('no-bug-caught', `${intent.kind} made a reservation`);
  if (event.seats.length !== intent.quantity)
    blame('I10', `${event.seats.length} of ${intent.quantity} seats`);
  const eligible = new Set(eligibleSeats(sale.hall, isFree, intent).map(({ ordinal }) => ordinal));
  const outside = event.seats.filter((seat) => !eligible.has(seat));
  if (outside.length > 0) blame('terms', `seats ${outside.join(' ')} are not among those asked for`);
  const run = bestRun(sale.hall, isFree, intent);
  if (run === undefined && intent.adjacent) return blame('terms', 'there were no such adjacent seats');
  const best = run ?? bestScattered(sale.hall, isFree, intent);
  if (best.join(' ') !== event.seats.join(' ')) {
    blame('terms', `the best are ${best.join(' ')}, given ${event.seats.join(' ')}`);
  }
}

/** A cancellation is known to the journal by the time a client is told of it. */
export function checkCancelled(given: Case, intent: Intent): void {
  const { model, answered, blame } = given;
  if (intent.kind !== 'cancel')
    return blame('no-bug-caught', `${intent.kind} was answered as a cancellation`);
  const own = ownReservation(model.at(answered.durableRows), intent);
  if (own?.status !== 'CANCELLED') {
    blame('I2', `told that ${intent.number} is cancelled, the journal has it ${own?.status ?? 'nowhere'}`);
  }
}

type Shown = Omit<ReservationView, 'scheduleId'>;

const shownOf = ({ scheduleId: _scheduleId, ...view }: ReservationView): Shown => ({
  number: view.number,
  userId: view.userId,
  status: view.status,
  seats: view.seats,
  totalMinor: view.totalMinor,
  heldAtMs: view.heldAtMs,
  expiresAtMs: view.expiresAtMs,
  endedAtMs: view.endedAtMs,
  paidAtMs: view.paidAtMs,
  asOfMs: view.asOfMs,
  seq: view.seq,
});

/** What the first answer to the event's request said, from the journal alone. */
function viewAt(state: ModelState, event: ModelEvent, view: ReservationView): Shown | undefined {
  const reservation = state.reservations.get(event.number);
  if (reservation === undefined) return undefined;
  return shownOf({
    ...reservation,
    scheduleId: view.scheduleId,
    number: reservation.number as ReservationView['number'],
    userId: reservation.userId as ReservationView['userId'],
    asOfMs: event.atMs,
  });
}
