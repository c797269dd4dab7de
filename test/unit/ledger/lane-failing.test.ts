import { expect, test } from 'vitest';
import { BatchRefused } from '../../../src/ledger/book.ts';
import { LaneStage } from './lane-stage.ts';

const failing = (failures: number) => {
  const stage = new LaneStage();
  let left = failures;
  stage.script = () => (left-- > 0 ? new Error('scripted') : 'answer');
  return stage;
};

test('a thread that dies once or twice says nothing about the ledger', async () => {
  const stage = failing(2);
  stage.charge('a');
  await stage.clock.advance(60);
  expect([stage.ledger.isFailing, stage.outcomes['a']]).toEqual([false, 'charged']);
});

test('three failures in a row do, until something is committed', async () => {
  const stage = failing(3);
  stage.charge('a');
  await stage.clock.advance(60);
  expect([stage.ledger.isFailing, stage.outcomes['a']]).toEqual([true, 'waits']);
  await stage.clock.advance(250);
  expect([stage.ledger.isFailing, stage.outcomes['a']]).toEqual([false, 'charged']);
});

test('a refusal is an answer of the ledger', async () => {
  const stage = new LaneStage();
  let attempts = 0;
  stage.script = () => (++attempts <= 3 ? new Error('scripted') : new BatchRefused('another order'));
  stage.charge('a');
  await stage.clock.advance(60);
  expect(stage.ledger.isFailing).toBe(true);
  await stage.clock.advance(250);
  expect([stage.ledger.isFailing, stage.outcomes['a']]).toEqual([false, 'LedgerRefused']);
});

test('after 5 s in which nobody asked, somebody may find out again', async () => {
  const stage = failing(100);
  stage.charge('a');
  await stage.clock.advance(1_400);
  expect([stage.ledger.isFailing, stage.outcomes['a']]).toEqual([true, 'LedgerUnavailable']);
  await stage.clock.advance(4_000);
  expect(stage.ledger.isFailing).toBe(true);
  await stage.clock.advance(1_000);
  expect(stage.ledger.isFailing).toBe(false);
});

test('one lane is enough', async () => {
  const stage = new LaneStage({ lanes: 4 });
  stage.script = ([key]) => (key === 'a' ? new Error('scripted') : 'answer');
  stage.charge('a', 'ann');
  await stage.clock.advance(100);
  expect(stage.ledger.isFailing).toBe(true);
});
