import { beforeEach, expect, test } from 'vitest';
import { PeerNotices } from '../../../src/cluster/peer-notices.ts';
import { ManualClock } from '../actors/runtime/manual-clock.ts';

let clock: ManualClock;
let told: string[];
let notices: PeerNotices;

beforeEach(() => {
  clock = new ManualClock();
  told = [];
  notices = new PeerNotices(clock, ({ level, message }) => told.push(`${level}: ${message}`));
});

test('the same is told once a minute, whatever its numbers', async () => {
  notices.warn('10.0.0.1 has failed');
  notices.warn('10.0.0.22 has failed');
  await clock.advance(59_999);
  notices.warn('10.0.0.3 has failed');
  expect(told).toEqual(['warn: 10.0.0.1 has failed']);
  await clock.advance(1);
  notices.warn('10.0.0.4 has failed');
  expect(told.slice(1)).toEqual(['warn: 10.0.0.4 has failed']);
});

test('of another subject it is told as well', () => {
  for (const subject of ['a:1', 'a:2', 'a:1']) notices.warn('it has failed', subject);
  expect(told.length).toBe(2);
});

test('what was told longest ago is forgotten, so that memory is bounded', () => {
  for (let i = 0; i <= 100; i++) notices.warn('it has failed', `node ${i}`);
  notices.warn('it has failed', 'node 100');
  expect(told.length).toBe(101);
  notices.warn('it has failed', 'node 0');
  expect(told.length).toBe(102);
});
