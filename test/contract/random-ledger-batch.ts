import type { LedgerOperation } from '../../src/ledger/operation.ts';
import type { SeededRandom } from '../unit/actors/seeded-random.ts';
import { cardOrder, pointsCharge, pointsOrder } from './ledger-orders.ts';

export const payers = ['ann', 'bob', 'cem', 'dan', 'eva'];

/** Few payers, payments and keys, so that operations meet. A number decides payer, amount and method. */
function randomOperation(random: SeededRandom, nowMs: number): LedgerOperation {
  const number = random.between(1, 40);
  const payer = payers[number % payers.length]!;
  const amount = (number * 37) % 300;
  const card = cardOrder(number, payer, amount);
  const order = number % 3 === 0 ? card : pointsOrder(number, payer, amount);
  switch (random.int(6)) {
    case 0:
    case 1: {
      const charge = pointsCharge(
        random.pick(payers),
        random.between(1, 3) * 100,
        `key-${random.int(8)}`,
        nowMs,
      );
      return { kind: 'charge', charge };
    }
    case 2:
      return { kind: 'cancel-unless-begun', order, atMs: nowMs };
    default:
      return order === card
        ? { kind: 'open-card', order: card, atMs: nowMs }
        : { kind: 'pay-by-points', order, atMs: nowMs };
  }
}

/** What may follow on a payment that the ledger knows. */
function randomSequel(
  random: SeededRandom,
  beginning: LedgerOperation,
  nowMs: number,
): LedgerOperation | undefined {
  if (beginning.kind === 'charge') return undefined;
  const { order } = beginning;
  if (order.method === 'card' && random.chance(60)) {
    const result = random.pick([
      { status: 'APPROVED', reference: `ch-${order.number}` },
      { status: 'DECLINED', declineCode: 'expired_card' },
      { status: 'CANCELLED' },
    ] as const);
    return { kind: 'close-card', order, result, atMs: nowMs };
  }
  return {
    kind: 'refund',
    order,
    reference: random.chance(50) ? `re-${order.number}` : undefined,
    atMs: nowMs,
  };
}

/** Charges and payments, some with what may follow on them in the same batch. */
export function randomBatch(random: SeededRandom, nowMs: number): LedgerOperation[] {
  return Array.from({ length: random.between(1, 25) }, () => {
    const beginning = randomOperation(random, nowMs);
    const sequel = random.chance(40) ? randomSequel(random, beginning, nowMs) : undefined;
    return sequel === undefined ? [beginning] : [beginning, sequel];
  }).flat();
}
