import { describe, expect, test } from 'vitest';
import { LedgerOverloaded, LedgerRefused, LedgerUnavailable } from '../../../../src/actors/runtime/ledger.ts';
import { orderOf, PaymentsStage, rejection } from './payments-stage.ts';

const down = () => new LedgerUnavailable('down');

describe('a payment by points', () => {
  test('goes from S0 to S2, each on disk before the next', async () => {
    const stage = new PaymentsStage();
    const answer = stage.begin();
    expect([answer.said, stage.payments.open]).toEqual(['waiting', 1]);
    await stage.clock.settle();
    expect(answer.said).toBe('PAID 1');
    expect(stage.steps).toEqual(['s0-durable', 's1-durable', 's2-durable', 'points approved in 0 ms']);
    expect(stage.ledger.calls).toEqual(['payByPoints 7-1-2']);
    expect(stage.actors.settled).toEqual(['1-2 approved']);
    expect([stage.balance, stage.payments.open, stage.clock.delaysMs]).toEqual([5_500, 0, []]);
  });

  test('is ordered as the actor has it, in the currency of the performance', async () => {
    const stage = new PaymentsStage();
    stage.begin();
    await stage.clock.settle();
    expect([...stage.ledger.orders.values()]).toEqual([orderOf('points')]);
  });

  test('of an account that has too little: told how much it has and needs, and the hold is back', async () => {
    const stage = new PaymentsStage();
    stage.ledger.balances.set('ann', 4_499);
    const answer = stage.begin();
    await stage.clock.settle();
    expect(rejection(answer)).toEqual({ code: 'insufficient-points', balance: 4_499, requiredMinor: 4_500 });
    expect(stage.actors.settled).toEqual(['1-2 insufficient-points']);
    expect(stage.steps.at(-1)).toBe('points insufficient-points in 0 ms');
    expect([stage.balance, stage.gateway.calls]).toEqual([4_499, []]);
  });
});

describe('a ledger that does not answer', () => {
  test('is asked again after pauses that double up to 4 s, until it answers', async () => {
    const stage = new PaymentsStage();
    stage.ledger.steps = [down(), down(), new LedgerOverloaded('full'), down(), down(), down(), down()];
    const answer = stage.begin();
    expect(await stage.pauses()).toEqual([250, 500, 1_000, 2_000, 4_000, 4_000, 4_000]);
    expect([answer.said, stage.actors.settled]).toEqual(['PAID 1', ['1-2 approved']]);
    expect(stage.steps.at(-1)).toBe('points approved in 15750 ms');
  });

  test('is told of ever less often: the first, second, fourth, eighth time …', async () => {
    const stage = new PaymentsStage();
    stage.ledger.steps = Array.from({ length: 17 }, down);
    stage.begin();
    await stage.pauses();
    expect(stage.actors.settled).toEqual(['1-2 approved']);
    expect(stage.faults).toEqual(
      [1, 2, 4, 8, 16].map((n) => `payment 7-1-2: asking the ledger again (${n})`),
    );
  });

  test('and then refuses: the payment is left for a person, and its callers are not left waiting', async () => {
    const stage = new PaymentsStage();
    stage.ledger.steps = [down(), new LedgerRefused('another order')];
    const answers = [stage.begin(), stage.join()];
    expect(await stage.pauses()).toEqual([250]);
    expect(answers.map(({ said }) => said)).toEqual(['shard-moving', 'shard-moving']);
    expect([stage.payments.open, stage.actors.settled, stage.balance]).toEqual([0, [], 10_000]);
    expect(stage.faults).toEqual([
      'payment 7-1-2: asking the ledger again (1)',
      'payment 7-1-2 is stuck until a restart',
    ]);
  });

  test('whose answer was lost: the account is debited once', async () => {
    const stage = new PaymentsStage();
    stage.ledger.steps = ['answer-lost', 'answer-lost'];
    const answer = stage.begin();
    await stage.pauses();
    expect([answer.said, stage.balance, stage.ledger.calls.length]).toEqual(['PAID 1', 5_500, 3]);
  });

  test('pauses start short again after an answer', async () => {
    const stage = new PaymentsStage();
    stage.ledger.steps = [down(), down(), 'well', down()];
    stage.actors.status = 'EXPIRED';
    stage.begin();
    expect(await stage.pauses()).toEqual([250, 500, 250]);
    expect(stage.actors.settled).toEqual(['1-2 refunded']);
  });

  test('that breaks: the payment is left for the next start, and its caller is not left waiting', async () => {
    const stage = new PaymentsStage();
    stage.ledger.steps = [new TypeError('a bug')];
    const answer = stage.begin();
    expect(await stage.pauses()).toEqual([]);
    expect([answer.said, stage.payments.open, stage.actors.settled]).toEqual(['shard-moving', 0, []]);
    expect(stage.faults).toEqual(['payment 7-1-2 is stuck until a restart']);
  });
});

describe('approved when the seats are gone', () => {
  test('the caller hears it at once, the points go back, and the actor is told (I5)', async () => {
    const stage = new PaymentsStage();
    const answer = stage.begin();
    stage.actors.status = 'EXPIRED';
    await stage.clock.settle();
    expect(answer.said).toBe('hold-expired');
    expect(stage.ledger.calls).toEqual(['payByPoints 7-1-2', 'refund 7-1-2']);
    expect([stage.balance, stage.actors.settled]).toEqual([10_000, ['1-2 refunded']]);
    expect(stage.steps).toEqual([
      's0-durable',
      's1-durable',
      'refunded',
      's2-durable',
      'points refunded in 0 ms',
    ]);
  });

  test('nobody waits for the refund', async () => {
    const stage = new PaymentsStage();
    const answer = stage.begin();
    stage.actors.status = 'EXPIRED';
    stage.ledger.steps = ['well', down()];
    await stage.clock.settle();
    expect([answer.said, stage.balance, stage.payments.open]).toEqual(['hold-expired', 5_500, 1]);
    await stage.pauses();
    expect([stage.balance, stage.payments.open]).toEqual([10_000, 0]);
  });

  test('whose answer was lost: the points go back once', async () => {
    const stage = new PaymentsStage();
    stage.actors.status = 'EXPIRED';
    stage.ledger.steps = ['well', 'answer-lost', 'answer-lost'];
    stage.begin();
    await stage.pauses();
    expect([stage.balance, stage.actors.settled]).toEqual([10_000, ['1-2 refunded']]);
  });
});

describe('an actor that can’t be told', () => {
  test('is told again until it has heard', async () => {
    const stage = new PaymentsStage();
    stage.actors.refusals = ['store-unavailable', 'overloaded', 'shard-moving'];
    const answer = stage.begin();
    expect(await stage.pauses()).toEqual([250, 500, 1_000]);
    expect([answer.said, stage.actors.settled]).toEqual(['PAID 1', ['1-2 approved']]);
    expect(stage.steps.filter((step) => step === 's2-durable')).toHaveLength(1);
  });

  test('in a shard that is lost: its new owner finds the payment open, and this node lets go', async () => {
    const stage = new PaymentsStage();
    stage.actors.refusals = ['shard-moving'];
    stage.actors.hasLost = true;
    const answer = stage.begin();
    await stage.clock.settle();
    expect([answer.said, stage.payments.open, stage.actors.settled]).toEqual(['shard-moving', 0, []]);
    expect([stage.clock.delaysMs, stage.faults]).toEqual([[], []]);
  });
});
