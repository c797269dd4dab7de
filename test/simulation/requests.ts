import type { IdempotencyMark } from '../../src/actors/allocator/event.ts';
import type {
  IdempotencyKey,
  ReservationNumber,
  ScheduleId,
  UserId,
} from '../../src/actors/allocator/ids.ts';
import type { Request } from './history.ts';
import type { ClientAction } from './operation.ts';
import type { Sale, World } from './world.ts';

/** Turns a script's action into what a client sends. `numberOf` tells the reservation that a hold made. */
export function toRequest(
  world: World,
  action: Exclude<ClientAction, { kind: 'retry' | 'charge' }>,
  numberOf: (holdOperation: number, scheduleId: ScheduleId, userId: UserId) => ReservationNumber,
): Request {
  const sale = world.sales[action.schedule] as Sale;
  const { scheduleId } = sale;
  switch (action.kind) {
    case 'hold': {
      const seatIds = action.seats.map((seat) => (typeof seat === 'string' ? seat : seatIdOf(sale, seat)));
      const body = { kind: 'hold' as const, userId: userOf(world, action), seatIds };
      return { kind: 'submit', scheduleId, intent: { ...body, ...mark(action.key, body) } };
    }
    case 'hold-best': {
      const { quantity, category, section, adjacent } = action;
      const body = {
        kind: 'hold-best' as const,
        userId: userOf(world, action),
        quantity,
        ...(category === undefined ? undefined : { category }),
        ...(section === undefined ? undefined : { section }),
        adjacent,
      };
      return { kind: 'submit', scheduleId, intent: { ...body, ...mark(action.key, body) } };
    }
    case 'extend': {
      const number = numberOf(action.hold, scheduleId, userOf(world, action));
      const body = { kind: 'extend' as const, userId: userOf(world, action), number };
      return { kind: 'submit', scheduleId, intent: { ...body, ...mark(action.key, body) } };
    }
    case 'pay': {
      const userId = userOf(world, action);
      const ref = { scheduleId, number: numberOf(action.hold, scheduleId, userId) };
      const way =
        action.card === undefined
          ? { method: 'points' as const }
          : { method: 'card' as const, cardToken: action.card };
      const body = { ref, userId, ...way };
      return { kind: 'pay', scheduleId, payment: { ...body, ...mark(action.key, body) } };
    }
    case 'cancel': {
      const number = numberOf(action.hold, scheduleId, userOf(world, action));
      return {
        kind: 'submit',
        scheduleId,
        intent: { kind: 'cancel', userId: userOf(world, action), number },
      };
    }
    case 'read': {
      const ref = { scheduleId, number: numberOf(action.hold, scheduleId, userOf(world, action)) };
      return { kind: 'read', scheduleId, ref, userId: userOf(world, action) };
    }
    case 'block':
    case 'unblock': {
      const seatIds = action.seats.map((seat) => seatIdOf(sale, seat));
      return { kind: 'submit', scheduleId, intent: { kind: action.kind, seatIds } };
    }
    case 'availability':
    case 'count':
    case 'audit':
      return { kind: action.kind, scheduleId };
  }
}

/** The same key, another wish: the one thing that must not be answered as a replay. */
export function withOtherBody(world: World, request: Request): Request {
  if (request.kind !== 'submit' && request.kind !== 'pay') return request;
  const first = request.kind === 'submit' ? request.intent : request.payment;
  if (!('idempotency' in first) || first.idempotency === undefined) return request;
  const { userId, idempotency: firstMark } = first;
  const { seats } = (world.sales[request.scheduleId - 1] as Sale).hall;
  const other = {
    kind: 'hold' as const,
    userId,
    seatIds: [(seats[0] as { seatId: string }).seatId],
  };
  const { idempotency } = mark(firstMark.key, { ...other, isOther: true });
  const intent = { ...other, ...(idempotency && { idempotency }) };
  return { kind: 'submit', scheduleId: request.scheduleId, intent };
}

/** Whether a client may send it again though it may have been carried out: it comes to the same. */
export function isRepeatable(request: Request): boolean {
  if (request.kind !== 'submit' && request.kind !== 'pay') return true;
  const { idempotency } = (request.kind === 'submit' ? request.intent : request.payment) as {
    readonly idempotency?: IdempotencyMark;
  };
  return idempotency !== undefined;
}

function mark(key: string | undefined, body: object): { readonly idempotency?: IdempotencyMark } {
  if (key === undefined) return {};
  return { idempotency: { key: key as IdempotencyKey, fingerprint: fingerprint(JSON.stringify(body)) } };
}

/** FNV-1a, 32 bits. */
function fingerprint(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash >>> 0;
}

const userOf = (world: World, action: { readonly user: number }): UserId =>
  world.users[action.user] as UserId;

const seatIdOf = (sale: Sale, ordinal: number): string =>
  (sale.hall.seats[ordinal] as { seatId: string }).seatId;
