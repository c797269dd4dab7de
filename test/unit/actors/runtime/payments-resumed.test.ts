import { describe, expect, test } from 'vitest';
import { noGateway } from '../../../../src/actors/runtime/card-gateway.ts';
import { LedgerUnavailable } from '../../../../src/actors/runtime/ledger.ts';
import { orderOf, PaymentsStage } from './payments-stage.ts';
import { unknown } from './scripted-gateway.ts';

const pending = { status: 'PENDING', cardToken: 'tok_9' } as const;

describe('a payment that an actor found open: the ledger is asked, and S1 is not begun anew', () => {
  test('of which the ledger has never heard: cancelled for good, and the hold is back', async () => {
    const stage = new PaymentsStage();
    stage.resume();
    await stage.clock.settle();
    expect(stage.ledger.calls).toEqual(['cancelUnlessBegun 7-1-2']);
    expect([stage.actors.settled, stage.actors.status]).toEqual([['1-2 cancelled'], 'HELD']);
    const late = await stage.ledger.payByPoints(orderOf('points'), stage.clock.nowMs());
    expect([late.status, stage.balance]).toEqual(['CANCELLED', 10_000]);
  });

  const decided = [
    ['APPROVED', {}, ['1-2 approved'], 'PAID'],
    ['DECLINED', { declineCode: 'insufficient-points' }, ['1-2 insufficient-points'], 'HELD'],
    ['CANCELLED', {}, ['1-2 cancelled'], 'HELD'],
  ] as const;
  test.each(decided)('that was %s: the actor is told', async (status, more, settled, becomes) => {
    const stage = new PaymentsStage();
    stage.stored('points', { status, ...more });
    stage.resume();
    await stage.clock.settle();
    expect([stage.actors.settled, stage.actors.status]).toEqual([settled, becomes]);
    expect([stage.balance, stage.steps.at(0)]).toEqual([10_000, 's1-durable']);
  });

  test('by card, declined: with the word of the gateway', async () => {
    const stage = new PaymentsStage();
    stage.stored('card', { status: 'DECLINED', declineCode: 'lost_card' });
    const answer = stage.join('card');
    await stage.clock.settle();
    expect(answer.outcome).toMatchObject({
      rejection: { code: 'payment-declined', declineCode: 'lost_card' },
    });
    expect(stage.gateway.calls).toEqual([]);
  });

  test('that was given back: the actor is told, and nothing is given back again', async () => {
    const stage = new PaymentsStage();
    stage.stored('points', { status: 'REFUNDED' });
    stage.actors.status = 'EXPIRED';
    stage.resume();
    await stage.clock.settle();
    expect([stage.actors.settled, stage.balance]).toEqual([['1-2 refunded'], 10_000]);
    expect(stage.ledger.calls).toEqual(['cancelUnlessBegun 7-1-2']);
  });

  test('that was approved when the seats are gone: given back', async () => {
    const stage = new PaymentsStage();
    stage.stored('points', { status: 'APPROVED' });
    stage.actors.status = 'EXPIRED';
    stage.resume();
    await stage.clock.settle();
    expect([stage.actors.settled, stage.balance]).toEqual([['1-2 refunded'], 14_500]);
  });

  test('by card, approved when the seats are gone: given back under the name of its charge', async () => {
    const stage = new PaymentsStage();
    stage.stored('card', { status: 'APPROVED', reference: 'ch_9' });
    stage.actors.status = 'EXPIRED';
    stage.resume('card');
    await stage.clock.settle();
    expect(stage.gateway.calls).toEqual(['refund 7-1-2 ch_9']);
    expect(stage.actors.settled).toEqual(['1-2 refunded']);
  });

  test('by card, recorded and maybe charged, its seats still kept: charged under the same name', async () => {
    const stage = new PaymentsStage();
    stage.stored('card', pending);
    stage.resume('card');
    await stage.clock.settle();
    expect(stage.gateway.calls).toEqual(['charge 7-1-2 tok_9']);
    expect([stage.actors.settled, stage.actors.status]).toEqual([['1-2 approved'], 'PAID']);
    expect(stage.steps).toEqual([
      's1-opened',
      's1-charged',
      's1-durable',
      's2-durable',
      'card approved in 0 ms',
    ]);
  });

  test('by card, recorded and maybe charged: one that is not sent now may have been before', async () => {
    const stage = new PaymentsStage();
    stage.stored('card', pending);
    stage.gateway.charges = [{ kind: 'not-sent', reason: 'scripted breaker' }];
    stage.resume('card');
    await stage.clock.settle();
    expect(stage.actors.settled).toEqual([]);
    await stage.pauses();
    expect(stage.actors.settled).toEqual(['1-2 approved']);
  });

  test('by card, recorded: its first driver, which was not let through, does not cancel what is taken over', async () => {
    const stage = new PaymentsStage();
    stage.gateway.hold();
    stage.gateway.charges = [{ kind: 'not-sent', reason: 'scripted breaker' }];
    stage.begin('card');
    await stage.clock.settle();
    await stage.ledger.cancelUnlessBegun(orderOf('card'), stage.clock.nowMs());
    stage.gateway.release();
    await stage.clock.settle();
    expect([stage.actors.settled, stage.payments.open]).toEqual([[], 1]);
    await stage.pauses();
    expect(stage.gateway.calls).toEqual(new Array(2).fill('charge 7-1-2 tok_1'));
    expect(stage.actors.settled).toEqual(['1-2 approved']);
  });

  test('by card, recorded and maybe charged, when the seats are gone: made sure never to be', async () => {
    const stage = new PaymentsStage();
    stage.stored('card', pending);
    stage.actors.status = 'EXPIRED';
    stage.resume('card');
    await stage.clock.settle();
    expect([stage.gateway.calls, stage.actors.settled]).toEqual([['void 7-1-2 tok_9'], ['1-2 cancelled']]);
  });

  test('on a ledger that is down: asked again', async () => {
    const stage = new PaymentsStage();
    stage.ledger.steps = [new LedgerUnavailable('down')];
    stage.resume();
    expect(await stage.pauses()).toEqual([250]);
    expect(stage.actors.settled).toEqual(['1-2 cancelled']);
  });
});

describe('a card that may have been charged longer ago than the gateway remembers keys', () => {
  const old = () => {
    const stage = new PaymentsStage();
    stage.stored('card', pending);
    stage.actors.status = 'EXPIRED';
    stage.clock.jump(23 * 60 * 60 * 1000 + 1);
    stage.resume('card');
    return stage;
  };

  test('is looked for before anything else, and given back when it is found', async () => {
    const stage = old();
    stage.gateway.finds = [{ kind: 'approved', reference: 'ch_9' }];
    await stage.clock.settle();
    expect(stage.gateway.calls).toEqual(['find 7-1-2', 'refund 7-1-2 ch_9']);
    expect(stage.actors.settled).toEqual(['1-2 refunded']);
  });

  test('is looked for until the gateway can tell', async () => {
    const stage = old();
    stage.gateway.finds = [unknown, unknown];
    expect(await stage.pauses()).toEqual([250, 500]);
    expect(stage.gateway.calls).toEqual([...new Array(3).fill('find 7-1-2'), 'void 7-1-2 tok_9']);
    expect(stage.actors.settled).toEqual(['1-2 cancelled']);
  });

  test('is never charged anew, though its seats are kept', async () => {
    const stage = old();
    stage.actors.status = 'PAYING';
    await stage.clock.settle();
    expect(stage.gateway.calls).toEqual(['find 7-1-2', 'void 7-1-2 tok_9']);
    expect(stage.actors.settled).toEqual(['1-2 cancelled']);
  });

  test('is looked for again each time, whatever the gateway remembered once', async () => {
    const stage = old();
    stage.gateway.voids = [{ kind: 'begun' }];
    stage.gateway.charges = [unknown];
    await stage.pauses();
    const look = ['find 7-1-2', 'void 7-1-2 tok_9'];
    expect(stage.gateway.calls).toEqual([...look, 'charge 7-1-2 tok_9', ...look]);
    expect(stage.actors.settled).toEqual(['1-2 cancelled']);
  });

  test('a moment before, its key is as good as new', async () => {
    const stage = new PaymentsStage();
    stage.stored('card', pending);
    stage.clock.jump(23 * 60 * 60 * 1000);
    stage.resume('card');
    await stage.clock.settle();
    expect(stage.gateway.calls).toEqual(['charge 7-1-2 tok_9']);
  });
});

describe('one driver is enough', () => {
  test('for a payment that is in hand already', async () => {
    const stage = new PaymentsStage();
    stage.ledger.hold();
    const answer = stage.begin();
    stage.resume();
    stage.resume();
    expect(stage.payments.open).toBe(1);
    stage.ledger.release();
    await stage.clock.settle();
    expect([answer.said, stage.ledger.calls]).toEqual(['PAID 1', ['payByPoints 7-1-2']]);
  });
});

describe('a caller that joins a payment which was found open', () => {
  test('hears its end as a replay', async () => {
    const stage = new PaymentsStage();
    stage.stored('points', { status: 'APPROVED' });
    stage.ledger.hold();
    stage.resume();
    const answer = stage.join();
    stage.ledger.release();
    await stage.clock.settle();
    expect(answer.said).toBe('PAID 1 replayed');
  });

  test.each([
    ['points', 'store-unavailable'],
    ['card', 'gateway-unavailable'],
  ] as const)('by %s, never begun: may try again (%s)', async (method, said) => {
    const stage = new PaymentsStage();
    const answer = stage.join(method);
    await stage.clock.settle();
    expect([answer.said, stage.actors.settled]).toEqual([said, ['1-2 cancelled']]);
  });
});

describe('a card left over on a node that takes none any more', () => {
  test('says so and waits: nobody can tell what became of it', async () => {
    const stage = new PaymentsStage(noGateway);
    stage.stored('card', pending);
    stage.resume('card');
    await stage.clock.advance(60_000);
    expect([stage.payments.open, stage.actors.settled]).toEqual([1, []]);
    const toldOf = (count: number) => `payment 7-1-2: asking the gateway again (${count})`;
    expect(stage.faults).toEqual([1, 2, 4, 8, 16].map(toldOf));
    stage.actors.status = 'EXPIRED';
    await stage.clock.advance(60_000);
    expect([stage.payments.open, stage.actors.settled]).toEqual([1, []]);
    expect(stage.faults.slice(5)).toEqual([toldOf(32)]);
  });

  test('approved when the seats are gone: its refund waits as well', async () => {
    const stage = new PaymentsStage(noGateway);
    stage.stored('card', { status: 'APPROVED', reference: 'ch_9' });
    stage.actors.status = 'EXPIRED';
    stage.resume('card');
    await stage.clock.advance(20_000);
    expect([stage.payments.open, stage.actors.settled]).toEqual([1, []]);
    expect(stage.faults[0]).toBe('payment 7-1-2: asking for its refund again (1)');
  });

  test('that was decided before: needs no gateway', async () => {
    const stage = new PaymentsStage(noGateway);
    stage.stored('card', { status: 'APPROVED', reference: 'ch_9' });
    stage.resume('card');
    await stage.clock.settle();
    expect(stage.actors.settled).toEqual(['1-2 approved']);
  });
});
