import { describe, expect, test } from 'vitest';
import type { UserId } from '../../../../src/actors/allocator/ids.ts';
import {
  type Ledger,
  type LedgerAuditor,
  LedgerOverloaded,
  LedgerRefused,
  LedgerUnavailable,
  type PaymentRecord,
  type PaymentStatus,
  type PointsReader,
} from '../../../../src/actors/runtime/ledger.ts';
import { CachedLedger } from '../../../../src/ledger/redis/cached-ledger.ts';
import { cardOrder, pointsCharge, pointsOrder } from '../../../contract/ledger-orders.ts';
import { ManualClock } from '../../actors/runtime/manual-clock.ts';
import { ScriptedRedis } from '../../redis/scripted-redis.ts';

type WholeLedger = Ledger & PointsReader & LedgerAuditor;

/** A ledger whose calls all end as the test says, and what happened in which order. */
class Stage {
  readonly redis = new ScriptedRedis();
  readonly clock = new ManualClock();
  readonly order: string[] = [];
  readonly ledger: CachedLedger;

  constructor(end: () => unknown) {
    const call = (name: string) => async () => {
      this.order.push(name);
      return end();
    };
    const source = {
      isOverloaded: true,
      isFailing: true,
      ...Object.fromEntries(
        [
          ...['charge', 'payByPoints', 'openCardPayment', 'closeCardPayment', 'cancelUnlessBegun', 'refund'],
          ...['balanceOf', 'listEntries', 'auditSchedule', 'close'],
        ].map((name) => [name, call(name)]),
      ),
    } as unknown as WholeLedger;
    this.ledger = new CachedLedger(source, {
      redis: this.redis,
      clock: this.clock,
      observer: {
        onRequest: () => {},
        onFill: () => {},
        onInvalidations: (users) => this.order.push(`deleted ${users}`),
        onPending: () => {},
        onGenerationRaised: () => {},
      },
      installationId: 'one',
      ttlSeconds: 60,
    });
  }

  async call(name: string, call: (ledger: CachedLedger) => Promise<unknown>): Promise<unknown> {
    const answering = call(this.ledger).then(
      (answer) => {
        this.order.push('answered');
        return answer;
      },
      (error: Error) => {
        this.order.push('answered');
        return error;
      },
    );
    await this.clock.settle();
    await this.clock.settle();
    expect(this.order[0]).toBe(name);
    return answering;
  }
}

const calls: Record<string, (ledger: CachedLedger) => Promise<unknown>> = {
  charge: (ledger) => ledger.charge(pointsCharge('ann', 5, 'k', 1)),
  payByPoints: (ledger) => ledger.payByPoints(pointsOrder(1, 'ann', 5), 1),
  refund: (ledger) => ledger.refund(pointsOrder(1, 'ann', 5), 1),
  cancelUnlessBegun: (ledger) => ledger.cancelUnlessBegun(pointsOrder(1, 'ann', 5), 1),
  openCardPayment: (ledger) => ledger.openCardPayment(cardOrder(1, 'ann', 5), 1),
  closeCardPayment: (ledger) =>
    ledger.closeCardPayment(cardOrder(1, 'ann', 5), { status: 'APPROVED', reference: 'r' }, 1),
  'refund of a card': (ledger) => ledger.refund(cardOrder(1, 'ann', 5), 1, 'r'),
  'cancelUnlessBegun of a card': (ledger) => ledger.cancelUnlessBegun(cardOrder(1, 'ann', 5), 1),
};

const record = (status: PaymentStatus): PaymentRecord => ({
  paymentId: pointsOrder(1, 'ann', 5).paymentId,
  status,
  createdAtMs: 1,
});

const charged = (replayed: boolean) => ({ kind: 'charged', entryId: 1, balance: 5, replayed });

describe('an answer that tells of a change comes after the deletion', () => {
  test.each([
    ['charge', charged(false)],
    // The first that anybody hears of it, where the answer to the call before was lost.
    ['charge', charged(true)],
    ['payByPoints', record('APPROVED')],
    ['payByPoints', record('REFUNDED')],
    ['refund', record('REFUNDED')],
    ['cancelUnlessBegun', record('APPROVED')],
    ['charge', new LedgerUnavailable('?')],
    ['payByPoints', new LedgerUnavailable('?')],
    ['refund', new LedgerUnavailable('?')],
    ['cancelUnlessBegun', new Error('?')],
  ])('%s: %j', async (name, answer) => {
    const stage = new Stage(() => {
      if (answer instanceof Error) throw answer;
      return answer;
    });
    expect(await stage.call(name, calls[name]!)).toBe(answer);
    expect(stage.order).toEqual([name, 'deleted 1', 'answered']);
    expect(stage.redis.calls).toEqual([['get balance:one:generation', 'del balance:one:0:ann']]);
  });
});

describe('any other answer costs nothing', () => {
  test.each([
    ['charge', { kind: 'key-reused' }],
    ['charge', { kind: 'balance-limit' }],
    ['charge', new LedgerOverloaded('full')],
    ['charge', new LedgerRefused('no')],
    ['payByPoints', record('DECLINED')],
    ['payByPoints', record('CANCELLED')],
    ['payByPoints', new LedgerOverloaded('full')],
    ['cancelUnlessBegun', record('CANCELLED')],
    ['cancelUnlessBegun of a card', record('APPROVED')],
    ['cancelUnlessBegun of a card', new LedgerUnavailable('?')],
    ['openCardPayment', record('PENDING')],
    ['closeCardPayment', record('APPROVED')],
    ['refund of a card', record('REFUNDED')],
  ])('%s: %j', async (name, answer) => {
    const stage = new Stage(() => {
      if (answer instanceof Error) throw answer;
      return answer;
    });
    const callName = name.split(' ')[0] as string;
    expect(await stage.call(callName, calls[name]!)).toBe(answer);
    expect([stage.order, stage.redis.calls]).toEqual([[callName, 'answered'], []]);
  });
});

test('what is no balance is the ledger’s own', async () => {
  const answer = {};
  const stage = new Stage(() => answer);
  const { ledger } = stage;
  expect([ledger.isOverloaded, ledger.isFailing]).toEqual([true, true]);
  expect(await ledger.listEntries({ userId: 'ann' as UserId, limit: 1 })).toBe(answer);
  expect(await ledger.auditSchedule(1 as never)).toBe(answer);
  await ledger.close();
  expect(stage.order).toEqual(['listEntries', 'auditSchedule', 'close']);
});

test('charges of one turn are deleted in one write', async () => {
  const stage = new Stage(() => charged(false));
  const charging = Promise.all(
    ['ann', 'bob', 'cleo'].map((name) => stage.ledger.charge(pointsCharge(name, 5, 'k', 1))),
  );
  await stage.clock.settle();
  await charging;
  expect(stage.redis.calls).toHaveLength(1);
});
