import { describe, expect, test } from 'vitest';
import { noGateway } from '../../../../src/actors/runtime/card-gateway.ts';
import { LedgerRefused, LedgerUnavailable } from '../../../../src/actors/runtime/ledger.ts';
import { begunBy, PaymentsStage, rejection } from './payments-stage.ts';
import { unknown } from './scripted-gateway.ts';

const charge = 'charge 7-1-2 tok_1';
/** Of the reservation that costs nothing. */
const free = { ...begunBy('card'), amountMinor: 0 };
const notSent = { kind: 'not-sent', reason: 'scripted breaker' } as const;

describe('a payment by card', () => {
  test('is recorded before the card is charged, and again after', async () => {
    const stage = new PaymentsStage();
    stage.ledger.hold();
    const answer = stage.begin('card');
    await stage.clock.settle();
    expect(stage.gateway.calls).toEqual([]);
    stage.ledger.release();
    await stage.clock.settle();
    expect(answer.said).toBe('PAID 1');
    expect(stage.gateway.calls).toEqual([charge]);
    expect(stage.ledger.calls).toEqual(['openCardPayment 7-1-2', 'closeCardPayment 7-1-2']);
    expect([...stage.ledger.payments.values()]).toEqual([
      { paymentId: '7-1-2', createdAtMs: 1_000_000, status: 'APPROVED', reference: 'ch_1' },
    ]);
    expect(stage.steps).toEqual([
      's0-durable',
      's1-opened',
      's1-charged',
      's1-durable',
      's2-durable',
      'card approved in 0 ms',
    ]);
    expect([stage.actors.settled, stage.payments.open]).toEqual([['1-2 approved'], 0]);
  });

  test('declined: told why, in the word of the gateway, and the hold is back', async () => {
    const stage = new PaymentsStage();
    stage.gateway.charges = [{ kind: 'declined', declineCode: 'lost_card' }];
    const answer = stage.begin('card');
    await stage.clock.settle();
    expect(rejection(answer)).toEqual({ code: 'payment-declined', declineCode: 'lost_card' });
    expect([stage.actors.settled, stage.gateway.calls]).toEqual([['1-2 declined'], [charge]]);
    expect(stage.steps.at(-1)).toBe('card declined in 0 ms');
  });

  test('that was not sent: cancelled, and certainly not charged', async () => {
    const stage = new PaymentsStage();
    stage.gateway.charges = [notSent];
    const answer = stage.begin('card');
    await stage.clock.settle();
    expect([answer.said, stage.gateway.calls]).toEqual(['gateway-unavailable', [charge]]);
    expect([...stage.ledger.payments.values()]).toMatchObject([{ status: 'CANCELLED' }]);
    expect([stage.actors.settled, stage.clock.delaysMs]).toEqual([['1-2 cancelled'], []]);
    expect(stage.steps).not.toContain('s1-charged');
  });

  test('whose record is lost on the way: the card is charged once', async () => {
    const stage = new PaymentsStage();
    stage.ledger.steps = ['answer-lost', 'well', 'answer-lost', new LedgerUnavailable('down')];
    const answer = stage.begin('card');
    expect(await stage.pauses()).toEqual([250, 250, 500]);
    expect([answer.said, stage.gateway.calls]).toEqual(['PAID 1', [charge]]);
  });
});

describe('a gateway whose answer is unknown', () => {
  test('is asked again under the same name, after pauses that double', async () => {
    const stage = new PaymentsStage();
    stage.gateway.charges = [unknown, unknown, unknown, unknown];
    const answer = stage.begin('card');
    expect(await stage.pauses()).toEqual([250, 500, 1_000, 2_000]);
    expect([answer.said, stage.actors.settled]).toEqual(['PAID 1', ['1-2 approved']]);
    expect(stage.gateway.calls).toEqual([charge, charge, charge, charge, charge]);
    expect(stage.faults).toEqual([1, 2, 4].map((n) => `payment 7-1-2: asking the gateway again (${n})`));
  });

  test('and then not sent: still unknown, for the first call may have been', async () => {
    const stage = new PaymentsStage();
    stage.gateway.charges = [unknown, notSent, { kind: 'declined', declineCode: 'no' }];
    const answer = stage.begin('card');
    expect(await stage.pauses()).toEqual([250, 500]);
    expect([answer.said, stage.gateway.calls.length]).toEqual(['payment-declined', 3]);
  });

  test('is not asked again before it is known that the seats are still kept', async () => {
    const stage = new PaymentsStage();
    stage.gateway.charges = [unknown];
    stage.begin('card');
    await stage.clock.settle();
    stage.actors.refusals = ['store-unavailable', 'overloaded'];
    await stage.clock.advance(250);
    expect(stage.gateway.calls).toEqual([charge]);
    expect(await stage.pauses()).toEqual([500, 1_000]);
    expect([stage.gateway.calls, stage.actors.settled]).toEqual([[charge, charge], ['1-2 approved']]);
  });

  test('of a payment that is over by then: somebody else has seen to it', async () => {
    const stage = new PaymentsStage();
    stage.gateway.charges = [unknown];
    const answer = stage.begin('card');
    await stage.clock.settle();
    stage.actors.isOver = true;
    await stage.clock.advance(250);
    expect([answer.said, stage.payments.open]).toEqual(['shard-moving', 0]);
    expect([stage.gateway.calls, stage.faults.length]).toEqual([[charge], 1]);
  });

  test('in a shard that is lost: let go', async () => {
    const stage = new PaymentsStage();
    stage.gateway.charges = [unknown];
    const answer = stage.begin('card');
    await stage.clock.settle();
    stage.actors.refusals = ['shard-moving'];
    stage.actors.hasLost = true;
    await stage.clock.advance(60_000);
    expect([answer.said, stage.payments.open, stage.gateway.calls]).toEqual(['shard-moving', 0, [charge]]);
  });
});

describe('a card that is not known to be charged when the seats are gone', () => {
  const late = async (
    ...[voids, charges = []]: [PaymentsStage['gateway']['voids'], PaymentsStage['gateway']['charges']?]
  ) => {
    const stage = new PaymentsStage();
    stage.gateway.charges = [unknown, ...charges];
    stage.gateway.voids = voids;
    const answer = stage.begin('card');
    await stage.clock.settle();
    stage.actors.status = 'EXPIRED';
    return { stage, answer };
  };

  test('is made sure never to be', async () => {
    const { stage, answer } = await late([{ kind: 'voided' }]);
    await stage.pauses();
    expect(stage.gateway.calls).toEqual([charge, 'void 7-1-2 tok_1']);
    expect([answer.said, stage.actors.settled]).toEqual(['hold-expired', ['1-2 cancelled']]);
    expect([...stage.ledger.payments.values()]).toMatchObject([{ status: 'CANCELLED' }]);
  });

  test('its caller hears at once that it is too late', async () => {
    const { stage, answer } = await late([unknown, unknown]);
    await stage.clock.advance(250);
    expect([answer.said, stage.payments.open]).toEqual(['hold-expired', 1]);
    expect(await stage.pauses()).toEqual([500, 1_000]);
    expect(stage.gateway.calls).toEqual([charge, ...new Array(3).fill('void 7-1-2 tok_1')]);
    expect(stage.actors.settled).toEqual(['1-2 cancelled']);
  });

  test('has been, all the same: given back once, and the actor is told', async () => {
    const { stage, answer } = await late([{ kind: 'begun' }]);
    await stage.pauses();
    expect(stage.gateway.calls).toEqual([charge, 'void 7-1-2 tok_1', charge, 'refund 7-1-2 ch_1']);
    expect([...stage.ledger.payments.values()]).toMatchObject([{ status: 'REFUNDED', reference: 're_1' }]);
    expect([answer.said, stage.actors.settled]).toEqual(['hold-expired', ['1-2 refunded']]);
    expect(stage.steps.slice(2)).toEqual([
      's1-charged',
      's1-durable',
      'refunded',
      's2-durable',
      'card refunded in 250 ms',
    ]);
  });

  test('is known to be there, and then asked about until it is known what came of it', async () => {
    const { stage } = await late(
      [{ kind: 'begun' }, { kind: 'begun' }],
      [unknown, { kind: 'declined', declineCode: 'no' }],
    );
    await stage.pauses();
    // Each charge is asked for right after the gateway has said that it remembers it.
    const void1 = 'void 7-1-2 tok_1';
    expect(stage.gateway.calls).toEqual([charge, void1, charge, void1, charge]);
    expect(stage.actors.settled).toEqual(['1-2 declined']);
  });

  test('is not charged at all when the ledger took so long that the seats are gone before', async () => {
    const stage = new PaymentsStage();
    stage.ledger.steps = [new LedgerUnavailable('down'), new LedgerUnavailable('down')];
    const answer = stage.begin('card');
    await stage.clock.settle();
    stage.actors.status = 'EXPIRED';
    await stage.pauses();
    expect(stage.gateway.calls).toEqual(['void 7-1-2 tok_1']);
    expect([answer.said, stage.actors.settled]).toEqual(['hold-expired', ['1-2 cancelled']]);
  });
});

describe('a card that was charged when the seats are gone', () => {
  const charged = () => {
    const stage = new PaymentsStage();
    const answer = stage.begin('card');
    stage.actors.status = 'EXPIRED';
    return { stage, answer };
  };

  test('gets its refund, which is asked for until it is there', async () => {
    const { stage, answer } = charged();
    stage.gateway.refunds = [unknown, unknown];
    await stage.clock.settle();
    expect(answer.said).toBe('hold-expired');
    expect(await stage.pauses()).toEqual([250, 500]);
    expect(stage.gateway.calls).toEqual([charge, ...new Array(3).fill('refund 7-1-2 ch_1')]);
    expect(stage.faults).toEqual([1, 2].map((n) => `payment 7-1-2: asking for its refund again (${n})`));
    expect([stage.actors.settled, stage.payments.open]).toEqual([['1-2 refunded'], 0]);
  });

  test('a refund that the ledger does not take at once is not asked for again', async () => {
    const { stage } = charged();
    stage.ledger.steps = ['well', 'well', new LedgerUnavailable('down'), 'answer-lost'];
    await stage.pauses();
    expect(stage.gateway.calls).toEqual([charge, 'refund 7-1-2 ch_1']);
    expect(stage.actors.settled).toEqual(['1-2 refunded']);
  });
});

describe('a card that has nothing to pay', () => {
  const closedRecord = { status: 'APPROVED', reference: 'nothing-charged' };

  test('is recorded as any other, and approved without the gateway', async () => {
    const stage = new PaymentsStage();
    const answer = stage.begin('card', free);
    await stage.clock.settle();
    expect([answer.said, stage.gateway.calls]).toEqual(['PAID 1', []]);
    expect(stage.ledger.calls).toEqual(['openCardPayment 7-1-2', 'closeCardPayment 7-1-2']);
    expect([...stage.ledger.payments.values()]).toMatchObject([closedRecord]);
    expect([stage.actors.settled, stage.payments.open]).toEqual([['1-2 approved'], 0]);
    expect(stage.steps).not.toContain('s1-charged');
  });

  test('when the seats are gone: given back without it as well', async () => {
    const stage = new PaymentsStage();
    const answer = stage.begin('card', free);
    stage.actors.status = 'EXPIRED';
    await stage.clock.settle();
    expect([answer.said, stage.gateway.calls]).toEqual(['hold-expired', []]);
    expect(stage.ledger.calls.at(-1)).toBe('refund 7-1-2');
    expect([...stage.ledger.payments.values()]).toMatchObject([{ ...closedRecord, status: 'REFUNDED' }]);
    expect([stage.actors.settled, stage.payments.open]).toEqual([['1-2 refunded'], 0]);
  });

  test('left over on a node that takes none any more: needs no gateway', async () => {
    const stage = new PaymentsStage(noGateway);
    stage.stored('card', { status: 'PENDING', cardToken: 'tok_9' });
    stage.payments.resume(free);
    await stage.clock.settle();
    expect([...stage.ledger.payments.values()]).toMatchObject([closedRecord]);
    expect([stage.actors.settled, stage.faults]).toEqual([['1-2 approved'], []]);
  });

  test('one minor unit is charged', async () => {
    const stage = new PaymentsStage();
    stage.begin('card', { ...free, amountMinor: 1 });
    await stage.clock.settle();
    expect(stage.gateway.calls).toEqual([charge]);
  });
});

describe('a ledger that refuses: what it has contradicts the payment', () => {
  test.each([
    ['before the card is charged', [new LedgerRefused('another order')], []],
    ['after it was charged', ['well' as const, new LedgerRefused('another order')], [charge]],
  ])('%s: left for a person, told once, and its caller is not left waiting', async (_name, steps, calls) => {
    const stage = new PaymentsStage();
    stage.ledger.steps = steps;
    const answers = [stage.begin('card'), stage.join('card')];
    expect(await stage.pauses()).toEqual([]);
    expect(answers.map(({ said }) => said)).toEqual(['shard-moving', 'shard-moving']);
    expect([stage.payments.open, stage.actors.settled, stage.gateway.calls]).toEqual([0, [], calls]);
    expect(stage.faults).toEqual(['payment 7-1-2 is stuck until a restart']);
  });
});
