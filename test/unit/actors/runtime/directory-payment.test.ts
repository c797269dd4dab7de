import { describe, expect, test } from 'vitest';
import type { ScheduleId } from '../../../../src/actors/allocator/ids.ts';
import { noGateway } from '../../../../src/actors/runtime/card-gateway.ts';
import { LedgerUnavailable } from '../../../../src/actors/runtime/ledger.ts';
import { unavailable } from '../../../../src/actors/runtime/outcome.ts';
import { cancelIntent, holdIntent } from './actor-stage.ts';
import { DirectoryStage } from './directory-stage.ts';
import { unknown } from './scripted-gateway.ts';

const first = 1 as ScheduleId;
const card = { cardToken: 'tok_1', key: 'k' };
const points = { key: 'k' };

/** Ann holds A1 of schedule 1, for 500, and has 800 points. Holds last 5 s, payments 20 s, callers 10 s. */
async function holding(): Promise<DirectoryStage> {
  const stage = await DirectoryStage.started();
  stage.submit(1, holdIntent('ann', ['A1']));
  await stage.clock.settle();
  stage.ledger.balances.set('ann', 800);
  return stage;
}

describe('paying', () => {
  test('by points: for the amount of the hold, in the currency of the performance', async () => {
    const stage = await holding();
    const answer = stage.pay(1, 1, 'ann', points);
    await stage.clock.settle();
    expect(answer.outcome).toMatchObject({
      kind: 'reservation',
      replayed: false,
      view: { status: 'PAID', paymentId: '1-1-2', paidAtMs: 1_000_000 },
    });
    expect([...stage.ledger.orders.values()]).toEqual([
      {
        paymentId: '1-1-2',
        scheduleId: 1,
        number: 1,
        userId: 'ann',
        method: 'points',
        amountMinor: 500,
        currency: 'EUR',
      },
    ]);
    expect(stage.ledger.balances.get('ann')).toBe(300);
    expect(stage.journal).toEqual(['1 held', '2 paying', '3 paid']);
    expect(stage.steps).toEqual(
      ['s0-decided', 's0-durable', 's1-durable', 's2-durable'].map((s) => `${s} 1-1-2`),
    );
  });

  test('by card: the token goes to the gateway, and to no event', async () => {
    const stage = await holding();
    const answer = stage.pay(1, 1, 'ann', card);
    await stage.clock.settle();
    expect([answer.said, stage.gateway.calls]).toEqual(['PAID 1', ['charge 1-1-2 tok_1']]);
    expect(JSON.stringify(stage.store.journal.get(first))).not.toContain('tok_1');
  });

  test('what there is not, or of somebody else', async () => {
    const stage = await holding();
    const answers = [stage.pay(9, 1, 'ann'), stage.pay(1, 2, 'ann'), stage.pay(1, 1, 'bob')];
    await stage.clock.settle();
    expect(answers.map(({ said }) => said)).toEqual(new Array(3).fill('not-found'));
    expect([stage.ledger.calls, stage.journal]).toEqual([[], ['1 held']]);
  });

  test('a payment that is slow: told that it goes on, and the end is read later', async () => {
    const stage = await holding();
    stage.gateway.hold();
    const answer = stage.pay(1, 1, 'ann', card);
    await stage.clock.advance(10_000);
    expect(answer.outcome).toMatchObject({ view: { status: 'PAYING', paymentId: '1-1-2' } });
    expect(stage.directory.stats()).toMatchObject({ openHolds: 1, heldSeats: 0, openPayments: 1 });
    stage.gateway.release();
    await stage.clock.settle();
    expect(stage.read(1, 1, 'ann').said).toBe('PAID 1');
    expect(stage.directory.stats()).toMatchObject({ openHolds: 0, openPayments: 0 });
  });

  test('a payment that is too slow: its seats go to somebody else, and the money comes back once (I5)', async () => {
    const stage = await holding();
    stage.gateway.hold();
    stage.pay(1, 1, 'ann', card);
    await stage.clock.advance(20_000);
    const bob = stage.submit(1, holdIntent('bob', ['A1']));
    await stage.clock.settle();
    expect([stage.read(1, 1, 'ann').said, bob.said]).toEqual(['EXPIRED 1', 'HELD 2']);
    stage.gateway.release();
    await stage.clock.settle();
    expect(stage.gateway.calls).toEqual(['charge 1-1-2 tok_1', 'refund 1-1-2 ch_1']);
    expect(stage.journal).toEqual(['1 held', '2 paying', '3 expired', '4 held', '5 payment-failed']);
  });

  test('an answer that never comes: the card is made sure not to be charged', async () => {
    const stage = await holding();
    stage.gateway.charges = new Array(10).fill(unknown);
    const answer = stage.pay(1, 1, 'ann', card);
    await stage.clock.advance(60_000);
    expect(answer.said).toBe('PAYING 1');
    expect(stage.gateway.calls.at(-1)).toBe('void 1-1-2 tok_1');
    expect(stage.journal).toEqual(['1 held', '2 paying', '3 expired', '4 payment-failed']);
  });
});

describe('the same request again (I8)', () => {
  test('while the first is under way: waits with it', async () => {
    const stage = await holding();
    stage.ledger.hold();
    const answers = [stage.pay(1, 1, 'ann', points), stage.pay(1, 1, 'ann', points)];
    await stage.clock.settle();
    answers.push(stage.pay(1, 1, 'ann', points));
    await stage.clock.settle();
    expect(answers.map(({ said }) => said)).toEqual(new Array(3).fill('waiting'));
    stage.ledger.release();
    await stage.clock.settle();
    expect(answers.map(({ said }) => said)).toEqual(['PAID 1', 'PAID 1 replayed', 'PAID 1 replayed']);
    expect([stage.ledger.calls.length, stage.ledger.balances.get('ann')]).toEqual([1, 300]);
  });

  test('after it was paid: the same answer, and nothing else happens', async () => {
    const stage = await holding();
    const paid = stage.pay(1, 1, 'ann', points);
    await stage.clock.settle();
    await stage.clock.advance(3_600_000);
    const again = stage.pay(1, 1, 'ann', points);
    await stage.clock.settle();
    expect(again.outcome).toEqual({ ...paid.outcome, replayed: true });
    expect([stage.ledger.calls.length, stage.journal.length]).toEqual([1, 3]);
  });

  test('after it was declined: another attempt, under another name', async () => {
    const stage = await holding();
    stage.gateway.charges = [{ kind: 'declined', declineCode: 'card_declined' }];
    const declined = stage.pay(1, 1, 'ann', card);
    await stage.clock.settle();
    const again = stage.pay(1, 1, 'ann', card);
    await stage.clock.settle();
    expect([declined.said, again.said]).toEqual(['payment-declined', 'PAID 1']);
    expect(stage.gateway.calls).toEqual(['charge 1-1-2 tok_1', 'charge 1-1-4 tok_1']);
  });

  test('after too few points, and more since: paid', async () => {
    const stage = await holding();
    stage.ledger.balances.set('ann', 499);
    const poor = stage.pay(1, 1, 'ann', points);
    await stage.clock.settle();
    expect(poor.outcome).toMatchObject({ rejection: { balance: 499, requiredMinor: 500 } });
    stage.ledger.balances.set('ann', 500);
    const again = stage.pay(1, 1, 'ann', points);
    await stage.clock.settle();
    expect([again.said, stage.ledger.balances.get('ann')]).toEqual(['PAID 1', 0]);
  });

  test('with another body: refused, under way and after', async () => {
    const stage = await holding();
    stage.ledger.hold();
    stage.pay(1, 1, 'ann', points);
    await stage.clock.settle();
    const answers = [stage.pay(1, 1, 'ann', { key: 'k', fingerprint: 2 })];
    stage.ledger.release();
    await stage.clock.settle();
    answers.push(stage.pay(1, 1, 'ann', { key: 'k', fingerprint: 2 }));
    await stage.clock.settle();
    expect(answers.map(({ said }) => said)).toEqual(new Array(2).fill('idempotency-key-reused'));
  });

  test('without a key there is no same request', async () => {
    const stage = await holding();
    stage.ledger.hold();
    const answers = [stage.pay(1, 1, 'ann'), stage.pay(1, 1, 'ann')];
    stage.ledger.release();
    await stage.clock.settle();
    answers.push(stage.pay(1, 1, 'ann'));
    await stage.clock.settle();
    expect(answers.map(({ said }) => said)).toEqual(['PAID 1', 'payment-in-progress', 'already-paid']);
  });
});

describe('nobody to take the money', () => {
  const rows = [
    [
      'a ledger without room',
      points,
      'overloaded',
      (s: DirectoryStage) => Object.assign(s.ledger, { isOverloaded: true }),
    ],
    [
      'a gateway that fails',
      card,
      'gateway-unavailable',
      (s: DirectoryStage) => Object.assign(s.gateway, { standing: 'unavailable' }),
    ],
    [
      'a gateway without room',
      card,
      'overloaded',
      (s: DirectoryStage) => Object.assign(s.gateway, { standing: 'overloaded' }),
    ],
  ] as const;

  test.each(rows)('%s: refused, and nothing has changed', async (_name, wish, said, given) => {
    const stage = await holding();
    given(stage);
    const answer = stage.pay(1, 1, 'ann', wish);
    await stage.clock.settle();
    expect([answer.said, stage.journal, stage.ledger.calls]).toEqual([said, ['1 held'], []]);
    const cancelled = stage.submit(1, cancelIntent('ann', 1));
    await stage.clock.settle();
    expect(cancelled.said).toBe('cancelled');
  });

  test.each(rows)('%s: a success is told again all the same', async (_name, wish, _said, given) => {
    const stage = await holding();
    stage.pay(1, 1, 'ann', wish);
    await stage.clock.settle();
    given(stage);
    const again = stage.pay(1, 1, 'ann', wish);
    await stage.clock.settle();
    expect(again.said).toBe('PAID 1 replayed');
  });

  test('tells of cards whether it takes them', () => {
    expect(new DirectoryStage().directory.takesCards).toBe(true);
    expect(new DirectoryStage({}, {}, noGateway).directory.takesCards).toBe(false);
  });
});

describe('a node that starts takes on what it finds open', () => {
  /** The node before stopped, or died, with the payment after this. */
  const died = async (wish: typeof card | typeof points, prepare: (stage: DirectoryStage) => void) => {
    const before = await holding();
    prepare(before);
    before.pay(1, 1, 'ann', wish);
    await before.clock.settle();
    return before;
  };
  const restarted = async (before: DirectoryStage, prepare: (stage: DirectoryStage) => void = () => {}) => {
    const stage = new DirectoryStage();
    prepare(stage);
    await stage.takeOver(before, [first]);
    return stage;
  };

  test('before S1: the hold is back, and the same request pays it', async () => {
    const stage = await restarted(await died(points, ({ ledger }) => ledger.hold()));
    expect(stage.ledger.calls).toEqual(['cancelUnlessBegun 1-1-2']);
    expect(stage.journal).toEqual(['1 held', '2 paying', '3 payment-failed']);
    const again = stage.pay(1, 1, 'ann', points);
    await stage.clock.settle();
    expect([again.said, stage.ledger.balances.get('ann')]).toEqual(['PAID 1', 300]);
  });

  test('between S1 and S2: paid, though nobody asks', async () => {
    const stage = await restarted(
      await died(points, ({ ledger }) => {
        ledger.steps = ['answer-lost'];
      }),
    );
    expect(stage.journal).toEqual(['1 held', '2 paying', '3 paid']);
    const again = stage.pay(1, 1, 'ann', points);
    await stage.clock.settle();
    expect([again.said, stage.ledger.balances.get('ann')]).toEqual(['PAID 1 replayed', 300]);
  });

  test('while the gateway is asked: asked again under the same name', async () => {
    const stage = await restarted(await died(card, ({ gateway }) => gateway.hold()));
    expect(stage.gateway.calls).toEqual(['charge 1-1-2 tok_1']);
    expect(stage.journal.at(-1)).toBe('3 paid');
  });

  test('when the seats have gone meanwhile: the points go back', async () => {
    const before = await died(points, ({ ledger }) => {
      ledger.steps = ['answer-lost'];
    });
    const stage = await restarted(before, ({ clock }) => clock.jump(20_000));
    expect(stage.journal).toEqual(['1 held', '2 paying', '3 expired', '4 payment-failed']);
    expect(stage.ledger.balances.get('ann')).toBe(800);
  });

  test('the same request again waits for the end', async () => {
    const before = await died(card, ({ gateway }) => gateway.hold());
    const stage = await restarted(before, ({ gateway }) => gateway.hold());
    const again = stage.pay(1, 1, 'ann', card);
    await stage.clock.settle();
    expect(again.said).toBe('waiting');
    stage.gateway.release();
    await stage.clock.settle();
    expect(again.said).toBe('PAID 1 replayed');
  });
});

describe('a payment whose S2 the store does not take', () => {
  test('is told to the actor again, until it is on disk; its caller waits', async () => {
    const stage = await holding();
    stage.store.commitSteps = ['committed', 'unavailable', 'unavailable'];
    const answer = stage.pay(1, 1, 'ann', points);
    await stage.clock.settle();
    expect(answer.said).toBe('waiting');
    await stage.clock.advance(2_000);
    expect([answer.said, stage.journal]).toEqual(['PAID 1', ['1 held', '2 paying', '3 paid']]);
    expect(stage.ledger.calls.filter((call) => call.startsWith('payByPoints'))).toHaveLength(1);
    expect(stage.ledger.balances.get('ann')).toBe(300);
  });
});

describe('a shard that is lost', () => {
  test('lets go of its payments: whoever has it now goes on with them', async () => {
    const stage = await holding();
    stage.ledger.hold();
    const answer = stage.pay(1, 1, 'ann', points);
    await stage.clock.settle();
    stage.store.takeAway(stage.directory.shardOf(first));
    stage.ledger.release();
    await stage.clock.advance(5_000);
    expect([answer.said, stage.directory.stats().openPayments]).toEqual(['shard-moving', 0]);
    expect(stage.journal).toEqual(['1 held', '2 paying']);
  });
});

describe('an audit', () => {
  const failures = async (stage: DirectoryStage) => {
    const checks = stage.directory.audit(first);
    await stage.clock.settle();
    const results = await checks;
    return 'failure' in results ? results : results.filter(({ ok }) => !ok).map(({ invariant }) => invariant);
  };

  test('compares seats and money as of one moment: paid, under way, and over', async () => {
    const stage = await holding();
    stage.pay(1, 1, 'ann', points);
    stage.submit(1, holdIntent('bob', ['A2']));
    await stage.clock.settle();
    expect(await failures(stage)).toEqual([]);
    stage.gateway.hold();
    stage.pay(1, 2, 'bob', card);
    await stage.clock.settle();
    expect(await failures(stage)).toEqual([]);
    stage.gateway.release();
    await stage.clock.settle();
    expect(await failures(stage)).toEqual([]);
  });

  test('finds a reservation that is paid with nothing', async () => {
    const stage = await holding();
    stage.pay(1, 1, 'ann', points);
    await stage.clock.settle();
    stage.ledger.payments.clear();
    stage.ledger.orders.clear();
    expect(await failures(stage)).toEqual(['I5']);
  });

  test('of a ledger that does not answer: told, and nothing stays paused', async () => {
    const stage = await holding();
    stage.ledger.steps = [new LedgerUnavailable('down')];
    expect(await failures(stage)).toEqual({ failure: 'store-unavailable', retryAfterSeconds: 1 });
    const answer = stage.submit(1, holdIntent('bob', ['A2']));
    await stage.clock.settle();
    expect(answer.said).toBe('HELD 2');
  });
});

describe('stopping', () => {
  test('waits for the end of a payment that somebody waits for', async () => {
    const stage = await holding();
    stage.ledger.hold();
    const answer = stage.pay(1, 1, 'ann', points);
    await stage.clock.settle();
    const stopped = stage.directory.stop();
    await stage.clock.settle();
    expect([answer.said, stage.store.count('close')]).toEqual(['waiting', 0]);
    stage.ledger.release();
    await stage.clock.settle();
    await stopped;
    expect([answer.said, stage.journal.at(-1)]).toEqual(['PAID 1', '3 paid']);
    expect(stage.store.calls.at(-1)).toBe('close');
  });

  test('does not wait for longer than its caller does, and leaves no timer', async () => {
    const stage = await holding();
    stage.ledger.hold();
    const answer = stage.pay(1, 1, 'ann', points);
    await stage.clock.settle();
    const stopped = stage.directory.stop();
    await stage.clock.advance(10_000);
    await stopped;
    expect(answer.said).toBe('PAYING 1');
    expect([stage.journal, stage.clock.delaysMs]).toEqual([['1 held', '2 paying'], []]);
    expect(stage.pay(1, 1, 'ann', points).outcome).toEqual(unavailable('not-ready'));
  });
});
