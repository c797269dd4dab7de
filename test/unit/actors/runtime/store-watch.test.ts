import { beforeEach, expect, test } from 'vitest';
import { StoreUnavailable } from '../../../../src/actors/runtime/ports.ts';
import { StoreWatch } from '../../../../src/actors/runtime/store-watch.ts';
import { ManualClock } from './manual-clock.ts';

let clock: ManualClock;
let watch: StoreWatch;
/** How the store answers the questions that wait. */
let questions: PromiseWithResolvers<void>[];

beforeEach(() => {
  clock = new ManualClock();
  questions = [];
  watch = new StoreWatch(ask, clock);
  watch.start();
});

const ask = (): Promise<void> => {
  const question = Promise.withResolvers<void>();
  questions.push(question);
  return question.promise;
};
const fail = (question: number) => questions[question]!.reject(new StoreUnavailable('down'));
const answer = (question: number) => questions[question]!.resolve();

test('a store that answers is asked again and again, one question at a time', async () => {
  expect([watch.isSilent, questions.length]).toEqual([false, 0]);
  await clock.advance(3_000);
  expect([watch.isSilent, questions.length]).toEqual([false, 1]);
  answer(0);
  await clock.advance(10_000);
  expect(questions.length).toBe(2);
});

test('a store that fails is silent until it answers', async () => {
  await clock.advance(2_000);
  fail(0);
  await clock.advance(2_000);
  expect(watch.isSilent).toBe(true);
  fail(1);
  await clock.advance(2_000);
  expect(watch.isSilent, 'still').toBe(true);
  answer(2);
  await clock.settle();
  expect(watch.isSilent).toBe(false);
});

test('a store that says nothing is silent after a while, and no longer than that', async () => {
  await clock.advance(4_000);
  expect(watch.isSilent).toBe(false);
  await clock.advance(1);
  expect(watch.isSilent).toBe(true);
  answer(0);
  await clock.settle();
  expect(watch.isSilent).toBe(false);
});

test('it is not asked any more after the end', async () => {
  await clock.advance(2_000);
  watch.stop();
  answer(0);
  await clock.advance(60_000);
  expect([questions.length, clock.delaysMs]).toEqual([1, []]);
});

test('it is asked as often as it is to be', async () => {
  watch.stop();
  watch = new StoreWatch(ask, clock, 300);
  watch.start();
  await clock.advance(299);
  expect(questions.length).toBe(0);
  await clock.advance(1);
  expect(questions.length).toBe(1);
  answer(0);
  await clock.advance(300);
  expect(questions.length).toBe(2);
});

test('a watch that was ended does not begin', async () => {
  watch.stop();
  watch.start();
  await clock.advance(60_000);
  expect([questions.length, clock.delaysMs]).toEqual([0, []]);
});
