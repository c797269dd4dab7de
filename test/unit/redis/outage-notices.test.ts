import { expect, test } from 'vitest';
import { OutageNotices } from '../../../src/redis/outage-notices.ts';
import { ManualClock } from '../actors/runtime/manual-clock.ts';

const stage = () => {
  const clock = new ManualClock();
  const told: string[] = [];
  const notices = new OutageNotices(clock, 5_000, ({ kind, message }) => told.push(`${kind} ${message}`));
  const say = (kind: 'up' | 'down', message: string) => notices.update({ kind, message });
  return { clock, told, notices, say };
};

test('that all is well from the beginning is not told', () => {
  const { told, say } = stage();
  say('up', 'a');
  expect(told).toEqual([]);
});

test('one when it goes, one when it is back', async () => {
  const { clock, told, say } = stage();
  say('down', 'a');
  say('down', 'b');
  await clock.advance(60_000);
  say('down', 'c');
  say('up', 'd');
  say('up', 'e');
  expect(told).toEqual(['down a', 'up d']);
});

test('what comes and goes is told as it is when the time is over, or not at all', async () => {
  const { clock, told, say } = stage();
  say('down', 'a');
  for (let flap = 0; flap < 100; flap++) {
    say('up', 'b');
    say('down', 'c');
  }
  await clock.advance(4_999);
  expect(told).toEqual(['down a']);
  await clock.advance(1);
  expect(told).toEqual(['down a']);
  say('up', 'd');
  say('down', 'e');
  say('up', 'f');
  expect(told).toEqual(['down a', 'up d']);
  say('down', 'g');
  await clock.advance(5_000);
  expect(told).toEqual(['down a', 'up d', 'down g']);
  expect(clock.delaysMs).toEqual([]);
});

test('nothing is told after the end', async () => {
  const { clock, told, notices, say } = stage();
  say('down', 'a');
  say('up', 'b');
  notices.close();
  await clock.advance(10_000);
  say('up', 'c');
  expect([told, clock.delaysMs]).toEqual([['down a'], []]);
});
