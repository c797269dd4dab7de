import { describe, expect, test } from 'vitest';
import { approved, declined, mark, refunded, reservationNumber } from '../allocator/schedule-script.ts';
import {
  ActorStage,
  type Answer,
  cancelIntent,
  extendIntent,
  holdIntent,
  payIntent,
  settleIntent,
} from './actor-stage.ts';

/** Ann has A1, and pays for it under seq 2 and the key `k`. */
async function paying(): Promise<{ stage: ActorStage; first: Answer }> {
  const stage = await ActorStage.awake();
  stage.submit(holdIntent('ann', ['A1']));
  const first = stage.submit(payIntent('ann', 1, mark('k')));
  await stage.clock.settle();
  stage.decisions.length = 0;
  return { stage, first };
}

const begun = {
  scheduleId: 7,
  number: 1,
  userId: 'ann',
  paymentSeq: 2,
  method: 'points',
  amountMinor: 1_000,
};

function standingOf(stage: ActorStage, paymentSeq: number): () => string {
  let told = 'waiting';
  stage.actor.readPayment(reservationNumber(1), paymentSeq, (standing) => {
    told = standing;
  });
  return () => told;
}

describe('S0', () => {
  test('is on disk before anybody hears of the payment, and its step is told when it is decided', async () => {
    const stage = await ActorStage.awake();
    stage.submit(holdIntent('ann', ['A1']));
    await stage.clock.settle();
    stage.store.hold('commit');
    const answer = stage.submit(payIntent('ann', 1));
    await stage.clock.settle();
    expect([answer.said, stage.steps]).toEqual(['waiting', ['s0-decided 7-1-2']]);
    stage.store.release('commit');
    await stage.clock.settle();
    expect(answer.outcome).toMatchObject({
      kind: 'payment-begun',
      begun,
      view: { status: 'PAYING', paymentId: '7-1-2', expiresAtMs: 1_020_000, paidAtMs: 0 },
    });
    expect(stage.journal).toEqual(['1 held', '2 paying']);
  });

  test('that is not on disk never was', async () => {
    const stage = await ActorStage.awake();
    stage.submit(holdIntent('ann', ['A1']));
    await stage.clock.settle();
    stage.store.commitSteps = ['unavailable'];
    const answer = stage.submit(payIntent('ann', 1, mark('k')));
    await stage.clock.settle();
    expect([answer.said, stage.resumed]).toEqual(['store-unavailable', []]);
    const again = stage.submit(payIntent('ann', 1, mark('k')));
    await stage.clock.settle();
    expect(again.said).toBe('payment-begun');
  });

  test('refused for want of whoever would take the money: nothing changes', async () => {
    const stage = await ActorStage.awake();
    stage.submit(holdIntent('ann', ['A1']));
    await stage.clock.settle();
    stage.paymentRefusal = 'gateway-unavailable';
    const answer = stage.submit(payIntent('ann', 1, mark('k'), 'card'));
    expect([answer.said, stage.decisions.at(-1)]).toEqual(['gateway-unavailable', 'pay gateway-unavailable']);
    await stage.clock.settle();
    expect([stage.journal, stage.steps]).toEqual([['1 held'], []]);
    stage.paymentRefusal = undefined;
    const again = stage.submit(payIntent('ann', 1, mark('k'), 'card'));
    await stage.clock.settle();
    expect(again.said).toBe('payment-begun');
  });

  test('a reservation that can’t be paid for is told why first', async () => {
    const stage = await ActorStage.awake();
    stage.paymentRefusal = 'overloaded';
    expect(stage.submit(payIntent('ann', 1)).said).toBe('not-found');
  });
});

describe('S2', () => {
  test('approved: paid, and shown when it is on disk', async () => {
    const { stage } = await paying();
    stage.store.hold('commit');
    const answer = stage.submit(settleIntent(1, 2, approved));
    await stage.clock.settle();
    expect(answer.said).toBe('waiting');
    stage.store.release('commit');
    await stage.clock.settle();
    expect(answer.outcome).toMatchObject({
      kind: 'reservation',
      view: { status: 'PAID', paymentId: '7-1-2', paidAtMs: 1_000_000, endedAtMs: 0 },
    });
    await stage.clock.advance(60_000);
    expect([stage.journal.at(-1), stage.clock.delaysMs]).toEqual(['3 paid', []]);
  });

  test('failed: held again, without a payment', async () => {
    const { stage } = await paying();
    const answer = stage.submit(settleIntent(1, 2, declined));
    await stage.clock.settle();
    expect(answer.outcome).toMatchObject({ view: { status: 'HELD', expiresAtMs: 1_030_000 } });
    expect(answer.outcome).not.toHaveProperty('view.paymentId');
  });

  test('again: the same answer, and nothing happens', async () => {
    const { stage } = await paying();
    const answers = [stage.submit(settleIntent(1, 2, approved)), stage.submit(settleIntent(1, 2, approved))];
    await stage.clock.settle();
    expect(answers.map(({ said }) => said)).toEqual(['PAID 1', 'PAID 1']);
    expect(stage.decisions).toEqual(['settle-payment ok', 'settle-payment unchanged']);
    expect(stage.journal).toEqual(['1 held', '2 paying', '3 paid']);
  });

  test('of a reservation that nobody remembers', async () => {
    const { stage } = await paying();
    const answer = stage.submit(settleIntent(9, 2, declined));
    await stage.clock.settle();
    expect(answer.said).toBe('not-found');
  });

  test('gets in where everything else is refused', async () => {
    const stage = await ActorStage.awake(2);
    stage.submit(holdIntent('ann', ['A1']));
    stage.submit(payIntent('ann', 1));
    await stage.clock.settle();
    stage.store.hold('commit');
    const answers = [
      stage.submit(holdIntent('bob', ['A2'])),
      stage.submit(holdIntent('bob', ['A3'])),
      stage.submit(holdIntent('bob', ['A4'])),
      stage.submit(settleIntent(1, 2, approved)),
    ];
    stage.store.release('commit');
    await stage.clock.settle();
    expect(answers.map(({ said }) => said)).toEqual(['HELD 2', 'HELD 3', 'overloaded', 'PAID 1']);
  });
});

describe('a payment that takes too long', () => {
  test('loses its seats on time, though nobody calls; free seats are shown', async () => {
    const { stage } = await paying();
    await stage.clock.advance(19_999);
    expect(stage.journal.at(-1)).toBe('2 paying');
    await stage.clock.advance(1);
    expect(stage.journal.at(-1)).toBe('3 expired');
    expect(stage.published.at(-1)).toBe(4);
  });

  test('is not paid, whatever comes first in that millisecond (I6)', async () => {
    const { stage } = await paying();
    stage.clock.jump(20_000);
    const late = stage.submit(settleIntent(1, 2, approved));
    await stage.clock.settle();
    expect([late.said, stage.journal.at(-1)]).toEqual(['hold-expired', '3 expired']);
    stage.submit(settleIntent(1, 2, refunded));
    await stage.clock.settle();
    expect(stage.journal.at(-1)).toBe('4 payment-failed');
  });

  test('is nothing to its user', async () => {
    const { stage } = await paying();
    await stage.clock.advance(20_000);
    const read = stage.read(1, 'ann');
    expect(read.said).toBe('EXPIRED 1');
    expect(read.outcome).not.toHaveProperty('view.paymentId');
  });
});

describe('the same request again (I8)', () => {
  test('while the payment is under way: waits for the same one, once S0 is on disk', async () => {
    const stage = await ActorStage.awake();
    stage.submit(holdIntent('ann', ['A1']));
    await stage.clock.settle();
    stage.store.hold('commit');
    stage.submit(payIntent('ann', 1, mark('k')));
    const again = stage.submit(payIntent('ann', 1, mark('k')));
    await stage.clock.settle();
    expect(again.said).toBe('waiting');
    stage.store.release('commit');
    await stage.clock.settle();
    expect(again.outcome).toMatchObject({ kind: 'payment-joined', begun, view: { status: 'PAYING' } });
    expect(stage.journal).toEqual(['1 held', '2 paying']);
  });

  test('after it is paid: answered as it was, though nobody would take the money now', async () => {
    const { stage } = await paying();
    const paid = stage.submit(settleIntent(1, 2, approved));
    await stage.clock.advance(60_000);
    stage.paymentRefusal = 'overloaded';
    const again = stage.submit(payIntent('ann', 1, mark('k')));
    await stage.clock.settle();
    expect(again.outcome).toEqual({ ...paid.outcome, replayed: true });
  });

  test('after it failed: another attempt', async () => {
    const { stage } = await paying();
    stage.submit(settleIntent(1, 2, declined));
    const again = stage.submit(payIntent('ann', 1, mark('k')));
    await stage.clock.settle();
    expect(again.outcome).toMatchObject({ kind: 'payment-begun', begun: { ...begun, paymentSeq: 4 } });
  });

  test.each(['while it is under way', 'after it is paid'])('with another body, %s: refused', async (when) => {
    const { stage } = await paying();
    if (when === 'after it is paid') stage.submit(settleIntent(1, 2, approved));
    const other = stage.submit(payIntent('ann', 1, mark('k', 2)));
    await stage.clock.settle();
    expect(other.said).toBe('idempotency-key-reused');
  });

  test('the hold before it is answered as it was, whatever has been paid since', async () => {
    const stage = await ActorStage.awake();
    const first = stage.submit(holdIntent('ann', ['A1'], mark('h')));
    stage.submit(payIntent('ann', 1));
    stage.submit(settleIntent(1, 2, approved));
    await stage.clock.settle();
    const again = stage.submit(holdIntent('ann', ['A1'], mark('h')));
    expect(again.outcome).toEqual({ ...first.outcome, replayed: true });
  });
});

describe('while it is paid for', () => {
  test('its user can’t take it back, nor pay again', async () => {
    const { stage } = await paying();
    const answers = [
      stage.submit(cancelIntent('ann', 1)),
      stage.submit(extendIntent('ann', 1)),
      stage.submit(payIntent('ann', 1, mark('other'))),
    ];
    await stage.clock.settle();
    expect(answers.map(({ said }) => said)).toEqual(new Array(3).fill('payment-in-progress'));
  });

  test('counts show it as what it is', async () => {
    const { stage } = await paying();
    expect(await stage.actor.countSeats()).toMatchObject({ free: 3, held: 0, paying: 1, paid: 0 });
    stage.submit(settleIntent(1, 2, approved));
    const counts = stage.actor.countSeats();
    await stage.clock.settle();
    expect(await counts).toMatchObject({ free: 3, held: 0, paying: 0, paid: 1 });
  });

  test('the actor is never idle', async () => {
    const { stage } = await paying();
    await stage.clock.advance(19_000);
    expect(stage.actor.isIdle(1_000)).toBe(false);
  });
});

describe('where a payment stands', () => {
  test('awaited, then too late, then over', async () => {
    const { stage } = await paying();
    const told = [standingOf(stage, 2)];
    stage.clock.jump(20_000);
    told.push(standingOf(stage, 2));
    await stage.clock.settle();
    stage.submit(settleIntent(1, 2, refunded));
    told.push(standingOf(stage, 2));
    await stage.clock.settle();
    expect(told.map((standing) => standing())).toEqual(['awaited', 'too-late', 'over']);
  });

  test('over, when it is paid, or another one is under way', async () => {
    const { stage } = await paying();
    stage.submit(settleIntent(1, 2, declined));
    stage.submit(payIntent('ann', 1));
    const told = [standingOf(stage, 2), standingOf(stage, 4)];
    stage.submit(settleIntent(1, 4, approved));
    told.push(standingOf(stage, 4));
    await stage.clock.settle();
    expect(told.map((standing) => standing())).toEqual(['over', 'awaited', 'over']);
  });

  test('is told when it is on disk', async () => {
    const { stage } = await paying();
    stage.store.hold('commit');
    stage.clock.jump(20_000);
    const told = standingOf(stage, 2);
    await stage.clock.settle();
    expect(told()).toBe('waiting');
    stage.store.release('commit');
    await stage.clock.settle();
    expect(told()).toBe('too-late');
  });

  test('is not known where the batch was lost', async () => {
    const { stage } = await paying();
    stage.store.commitSteps = ['unavailable'];
    stage.clock.jump(20_000);
    const told = standingOf(stage, 2);
    await stage.clock.settle();
    expect(told()).toBe('store-unavailable');
  });
});

describe('an actor that recovers', () => {
  test('hands over what is open: under way, and too late', async () => {
    const { stage } = await paying();
    stage.submit(holdIntent('bob', ['A2'], mark('h')));
    stage.submit(payIntent('bob', 2, mark('k'), 'card'));
    await stage.clock.settle();
    stage.actor.sleep();
    stage.actor.wake();
    await stage.clock.settle();
    expect(stage.resumed).toEqual([
      begun,
      { ...begun, number: 2, userId: 'bob', paymentSeq: 4, method: 'card' },
    ]);
    await stage.clock.advance(20_000);
    expect(stage.journal.slice(-2)).toEqual(['5 expired', '6 expired']);
    stage.resumed.length = 0;
    stage.actor.sleep();
    stage.actor.wake();
    await stage.clock.settle();
    expect(stage.resumed.map(({ number }) => number)).toEqual([1, 2]);
  });

  test('hands over nothing that is over', async () => {
    const { stage } = await paying();
    stage.submit(settleIntent(1, 2, approved));
    stage.submit(holdIntent('bob', ['A2']));
    stage.submit(payIntent('bob', 2));
    stage.submit(settleIntent(2, 5, declined));
    await stage.clock.settle();
    stage.actor.sleep();
    stage.actor.wake();
    await stage.clock.settle();
    expect(stage.resumed).toEqual([]);
  });

  test('knows the key of a payment under way, and of one that is paid', async () => {
    const { stage } = await paying();
    stage.actor.sleep();
    const joined = stage.submit(payIntent('ann', 1, mark('k')));
    await stage.clock.settle();
    expect(joined.said).toBe('payment-joined');
    stage.submit(settleIntent(1, 2, approved));
    await stage.clock.settle();
    stage.actor.sleep();
    const replayed = stage.submit(payIntent('ann', 1, mark('k')));
    await stage.clock.settle();
    expect(replayed.said).toBe('PAID 1 replayed');
  });
});
