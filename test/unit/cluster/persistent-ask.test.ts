import { beforeEach, expect, test } from 'vitest';
import { StoreUnavailable } from '../../../src/actors/runtime/ports.ts';
import { AskingStopped, PersistentAsk } from '../../../src/cluster/persistent-ask.ts';
import { ManualClock } from '../actors/runtime/manual-clock.ts';

let clock: ManualClock;
let faults: string[];
let ask: PersistentAsk;
let asked: number;

beforeEach(() => {
  clock = new ManualClock();
  faults = [];
  ask = new PersistentAsk(clock, ({ message }) => faults.push(message));
  asked = 0;
});

/** A store that is down for so many questions. */
const after =
  (failures: number, error: Error = new StoreUnavailable('down')) =>
  async () => {
    asked += 1;
    if (asked <= failures) throw error;
    return 'answer';
  };

/** What became of it: nothing yet, an answer, or an error. */
function settled(question: Promise<string>): () => string {
  let word = 'waiting';
  question.then(
    (answer) => {
      word = answer;
    },
    (error: Error) => {
      word = error.name;
    },
  );
  return () => word;
}

test('a store that answers is asked once', async () => {
  expect(await ask.untilAnswered(after(0))).toBe('answer');
  expect([asked, faults, clock.delaysMs]).toEqual([1, [], []]);
});

test('one that is down is asked until it answers, with a pause in between', async () => {
  const word = settled(ask.untilAnswered(after(3)));
  await clock.advance(749);
  expect([word(), asked]).toEqual(['waiting', 3]);
  await clock.advance(1);
  expect([word(), asked, faults]).toEqual(['answer', 4, ['down', 'down', 'down']]);
});

test('what is not its fault is not asked again', async () => {
  await expect(ask.untilAnswered(after(9, new TypeError('a bug')))).rejects.toThrow('a bug');
  expect([asked, faults]).toEqual([1, []]);
});

test('whoever waits when the node stops waits no more', async () => {
  const word = settled(ask.untilAnswered(after(9)));
  await clock.settle();
  ask.stop();
  await clock.advance(250);
  expect([word(), asked]).toEqual(['AskingStopped', 1]);
  await expect(ask.untilAnswered(after(0))).rejects.toThrow(AskingStopped);
});
