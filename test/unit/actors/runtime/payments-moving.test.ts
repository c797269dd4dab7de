import { describe, expect, test } from 'vitest';
import type { ScheduleId } from '../../../../src/actors/allocator/ids.ts';
import { PaymentsStage } from './payments-stage.ts';

/** A payment of schedule 7 is under way, and somebody waits for it. */
async function waiting() {
  const stage = new PaymentsStage();
  stage.ledger.hold();
  const answers = [stage.begin(), stage.join()];
  await stage.clock.settle();
  return { stage, said: () => answers.map(({ said }) => said) };
}

const of = (scheduleId: number) => (id: ScheduleId) => id === scheduleId;

async function answerAll(stage: PaymentsStage, scheduleId = 7): Promise<() => boolean> {
  let isDone = false;
  void stage.payments.answerAll(of(scheduleId), 200).then(() => {
    isDone = true;
  });
  await stage.clock.settle();
  return () => isDone;
}

describe('whoever waits for a payment of a schedule that is about to move', () => {
  test('is told its end, if it comes in time', async () => {
    const { stage, said } = await waiting();
    const isDone = await answerAll(stage);
    await stage.clock.advance(199);
    expect([isDone(), said()]).toEqual([false, ['waiting', 'waiting']]);
    stage.ledger.release();
    await stage.clock.settle();
    expect([isDone(), said()]).toEqual([true, ['PAID 1', 'PAID 1 replayed']]);
  });

  test('is told after a moment that it goes on, and it does', async () => {
    const { stage, said } = await waiting();
    const isDone = await answerAll(stage);
    await stage.clock.advance(200);
    expect([isDone(), said(), stage.payments.open]).toEqual([true, ['PAYING 1', 'PAYING 1'], 1]);
    stage.ledger.release();
    await stage.clock.settle();
    expect(stage.actors.settled).toEqual(['1-2 approved']);
  });

  test('does not wait for payments of others', async () => {
    const { stage, said } = await waiting();
    const isDone = await answerAll(stage, 8);
    expect([isDone(), said()]).toEqual([true, ['waiting', 'waiting']]);
  });

  test('who has no patience is told at once', async () => {
    const { stage, said } = await waiting();
    await stage.payments.answerAll(of(7), 0);
    expect(said()).toEqual(['PAYING 1', 'PAYING 1']);
  });
});

describe('payments of a schedule that has moved', () => {
  test('are left as they stand, and those who wait are told', async () => {
    const { stage, said } = await waiting();
    stage.payments.letGo(of(7));
    expect([said(), stage.payments.open]).toEqual([['shard-moving', 'shard-moving'], 0]);
    stage.ledger.release();
    await stage.clock.advance(60_000);
    expect([stage.actors.settled, stage.faults]).toEqual([[], []]);
  });

  test('and of no other', async () => {
    const { stage, said } = await waiting();
    stage.payments.letGo(of(8));
    expect([said(), stage.payments.open]).toEqual([['waiting', 'waiting'], 1]);
  });

  test('are taken on again when it comes back', async () => {
    const { stage } = await waiting();
    stage.payments.letGo(of(7));
    stage.resume();
    stage.ledger.release();
    await stage.clock.settle();
    expect([stage.actors.settled, stage.payments.open]).toEqual([['1-2 approved'], 0]);
  });
});
