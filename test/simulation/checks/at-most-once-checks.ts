import type { ScheduleId } from '../../../src/actors/allocator/ids.ts';
import type { Call } from '../history.ts';
import type { JournalModel, ModelEvent } from '../model/journal-model.ts';
import type { Violation } from '../violation.ts';
import type { World } from '../world.ts';

/**
 * A request without a key is carried out once at most, and one that was told that nothing has begun, not at all.
 * An event that no success speaks of must be the doing of a call whose caller was left in doubt.
 */
export function checkAtMostOnce(
  { users }: World,
  scheduleId: ScheduleId,
  model: JournalModel,
  calls: readonly Call[],
): readonly Violation[] {
  const told = new Set<number>();
  const doubtful = new Map<string, number>();
  const violations: Violation[] = [];
  const blame = (message: string) => violations.push({ invariant: 'at-most-once', message });
  for (const call of calls) {
    const wish = call.request.scheduleId === scheduleId ? wishOf(call) : undefined;
    if (wish === undefined) continue;
    const content = call.answer?.content;
    if (content?.kind === 'reservation') {
      if (told.has(content.view.seq)) blame(`#${call.operationId}: seq ${content.view.seq} is told of twice`);
      told.add(content.view.seq);
    } else if (content === undefined || (content.kind === 'unavailable' && content.isUntouched !== true)) {
      doubtful.set(wish, (doubtful.get(wish) ?? 0) + 1);
    }
  }
  for (const event of model.events) {
    const wish = told.has(event.seq) ? undefined : wishBehind(model, event, users);
    if (wish === undefined) continue;
    const left = (doubtful.get(wish) ?? 0) - 1;
    doubtful.set(wish, left);
    if (left < 0)
      blame(`schedule ${scheduleId}, seq ${event.seq} (${wish}): nobody who was left in doubt wanted it`);
  }
  return violations;
}

/** What a call without a key wants, as far as an event can tell; undefined for calls that may be repeated. */
function wishOf({ request }: Call): string | undefined {
  if (request.kind !== 'submit') return undefined;
  const { intent } = request;
  switch (intent.kind) {
    case 'hold':
      return heldWish(intent, intent.seatIds.length);
    case 'hold-best':
      return heldWish(intent, intent.quantity);
    case 'extend':
      return intent.idempotency === undefined ? `extends ${intent.number}` : undefined;
    default:
      return undefined;
  }
}

const heldWish = (
  { userId, idempotency }: { readonly userId: string; readonly idempotency?: object },
  seatCount: number,
): string | undefined => (idempotency === undefined ? `${userId} holds ${seatCount}` : undefined);

function wishBehind(model: JournalModel, event: ModelEvent, users: readonly string[]): string | undefined {
  if (event.idempotency !== undefined) return undefined;
  const userId = model.at(event.seq).reservations.get(event.number)?.userId;
  if (userId === undefined || !users.includes(userId)) return undefined;
  if (event.type === 'extended') return `extends ${event.number}`;
  return event.type === 'held' ? `${userId} holds ${event.seats.length}` : undefined;
}
