import { expect, test } from 'vitest';
import { PeerNotices } from '../../../src/cluster/peer-notices.ts';
import { ManualClock } from '../actors/runtime/manual-clock.ts';

test('what is the same of one node is told once a minute, and of another node as well', async () => {
  const clock = new ManualClock();
  const told: string[] = [];
  const notices = new PeerNotices(clock, ({ message }) => told.push(message));
  for (const subject of ['a:1', 'a:2', 'a:1', 'a:1']) notices.warn('it has failed', subject);
  expect(told).toHaveLength(2);
  await clock.advance(60_000);
  notices.warn('it has failed', 'a:1');
  expect(told).toHaveLength(3);
});
