import { describe, expect, test } from 'vitest';
import { noGateway } from '../../../../src/actors/runtime/card-gateway.ts';
import type { UnavailableCode } from '../../../../src/actors/runtime/outcome.ts';
import { begunBy, openMax, PaymentsStage } from './payments-stage.ts';

describe('whoever waits for a payment', () => {
  test('is told after a while that it goes on, and it does', async () => {
    const stage = new PaymentsStage();
    stage.ledger.hold();
    const answer = stage.begin();
    await stage.clock.advance(59_999);
    expect(answer.said).toBe('waiting');
    await stage.clock.advance(1);
    expect([answer.said, stage.payments.open]).toEqual(['PAYING 1', 1]);
    stage.ledger.release();
    await stage.clock.settle();
    expect([stage.actors.settled, stage.payments.open]).toEqual([['1-2 approved'], 0]);
  });

  test('may be many: all hear the end, and those who came later that it is the first one’s', async () => {
    const stage = new PaymentsStage();
    stage.ledger.hold();
    const answers = [stage.begin(), stage.join(), stage.join()];
    await stage.clock.settle();
    expect(stage.ledger.calls).toHaveLength(1);
    stage.ledger.release();
    await stage.clock.settle();
    expect(answers.map(({ said }) => said)).toEqual(['PAID 1', 'PAID 1 replayed', 'PAID 1 replayed']);
  });

  test('waits as long from when it came', async () => {
    const stage = new PaymentsStage();
    stage.ledger.hold();
    const first = stage.begin();
    await stage.clock.advance(40_000);
    const second = stage.join();
    await stage.clock.advance(20_000);
    expect([first.said, second.said]).toEqual(['PAYING 1', 'waiting']);
    await stage.clock.advance(40_000);
    expect(second.said).toBe('PAYING 1');
  });

  test('for one that nobody drives any more: the ledger is asked, and it comes to its end', async () => {
    const stage = new PaymentsStage();
    stage.stored('points', { status: 'APPROVED' });
    const answer = stage.join();
    await stage.clock.settle();
    expect([answer.said, stage.ledger.calls]).toEqual(['PAID 1 replayed', ['cancelUnlessBegun 7-1-2']]);
  });
});

describe('when everybody was answered', () => {
  const told = async (stage: PaymentsStage): Promise<() => boolean> => {
    let isTold = false;
    void stage.payments.whenAnswered().then(() => {
      isTold = true;
    });
    await stage.clock.settle();
    return () => isTold;
  };

  test('is at once where nobody waits, though a payment is open', async () => {
    const stage = new PaymentsStage();
    stage.ledger.hold();
    stage.resume();
    expect((await told(stage))()).toBe(true);
    expect(stage.payments.open).toBe(1);
  });

  test('is not before the last one is', async () => {
    const stage = new PaymentsStage();
    stage.ledger.hold();
    stage.begin();
    await stage.clock.advance(30_000);
    stage.join();
    const isTold = await told(stage);
    await stage.clock.advance(30_000);
    expect(isTold()).toBe(false);
    await stage.clock.advance(30_000);
    expect(isTold()).toBe(true);
  });

  test('is when a payment has come to its end', async () => {
    const stage = new PaymentsStage();
    stage.ledger.hold();
    stage.begin();
    const isTold = await told(stage);
    expect(isTold()).toBe(false);
    stage.ledger.release();
    await stage.clock.settle();
    expect(isTold()).toBe(true);
  });
});

describe('over already, when it is told to be approved', () => {
  test('and paid: that is the answer', async () => {
    const stage = new PaymentsStage();
    stage.actors.status = 'PAID';
    const answer = stage.begin();
    await stage.clock.settle();
    expect(answer.said).toBe('PAID 1');
  });

  test('and not paid: another owner has found the seats gone, and this one is too late as well', async () => {
    const stage = new PaymentsStage();
    stage.actors.status = 'HELD';
    const answer = stage.begin();
    await stage.clock.settle();
    expect([answer.said, stage.payments.open]).toEqual(['hold-expired', 0]);
  });
});

describe('stopping', () => {
  test('tells everybody who waits, and leaves everything as it stands', async () => {
    const stage = new PaymentsStage();
    stage.ledger.hold();
    const answers = [stage.begin(), stage.join()];
    await stage.clock.settle();
    stage.payments.stop();
    expect(answers.map(({ said }) => said)).toEqual(['not-ready', 'not-ready']);
    expect([stage.payments.open, stage.clock.delaysMs]).toEqual([0, []]);
    stage.ledger.release();
    await stage.clock.settle();
    expect([stage.actors.settled, stage.faults]).toEqual([[], []]);
  });

  test('ends a pause between two attempts', async () => {
    const stage = new PaymentsStage();
    stage.actors.refusals = ['store-unavailable'];
    stage.begin();
    await stage.clock.settle();
    stage.payments.stop();
    await stage.clock.advance(60_000);
    expect([stage.actors.settled, stage.clock.delaysMs]).toEqual([[], []]);
  });

  test('nothing begins, joins or goes on after it: the next start takes it on', async () => {
    const stage = new PaymentsStage();
    stage.payments.stop();
    const answers = [stage.begin(), stage.join()];
    stage.resume();
    expect(answers.map(({ said }) => said)).toEqual(['not-ready', 'not-ready']);
    await stage.clock.settle();
    expect([stage.ledger.calls, stage.payments.open, stage.clock.delaysMs]).toEqual([[], 0, []]);
  });
});

describe('no payment begins', () => {
  interface Row {
    readonly name: string;
    readonly given: (stage: PaymentsStage) => void;
    readonly points: UnavailableCode | undefined;
    readonly card: UnavailableCode | undefined;
  }
  const rows: readonly Row[] = [
    { name: '(when all is well, it does)', given: () => {}, points: undefined, card: undefined },
    {
      name: 'on a ledger that has no room',
      given: ({ ledger }) => {
        ledger.isOverloaded = true;
      },
      points: 'overloaded',
      card: 'overloaded',
    },
    {
      name: 'on a ledger that fails, whether it has room or not',
      given: ({ ledger }) => {
        ledger.isFailing = true;
        ledger.isOverloaded = true;
      },
      points: 'store-unavailable',
      card: 'store-unavailable',
    },
    {
      name: 'by card, at a gateway that fails',
      given: ({ gateway }) => {
        gateway.standing = 'unavailable';
      },
      points: undefined,
      card: 'gateway-unavailable',
    },
    {
      name: 'by card, at a gateway that has too many calls',
      given: ({ gateway }) => {
        gateway.standing = 'overloaded';
      },
      points: undefined,
      card: 'overloaded',
    },
    {
      name: 'on a node that stops',
      given: ({ payments }) => payments.stop(),
      points: 'not-ready',
      card: 'not-ready',
    },
    {
      name: 'when as many as there may be are open',
      given: (stage) => {
        stage.ledger.hold();
        for (let number = 1; number <= openMax; number++) stage.begin('points', begunBy('points', number));
      },
      points: 'overloaded',
      card: 'overloaded',
    },
  ];

  test.each(rows)('$name', ({ given, points, card }) => {
    const stage = new PaymentsStage();
    given(stage);
    expect([stage.payments.refusal('points'), stage.payments.refusal('card')]).toEqual([points, card]);
  });

  test('by card, on a node that takes none', () => {
    const { payments } = new PaymentsStage(noGateway);
    expect([payments.takesCards, payments.refusal('card'), payments.refusal('points')]).toEqual([
      false,
      'gateway-unavailable',
      undefined,
    ]);
    expect(new PaymentsStage().payments.takesCards).toBe(true);
  });
});
