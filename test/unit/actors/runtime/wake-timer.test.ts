import { beforeEach, expect, test } from 'vitest';
import { WakeTimer } from '../../../../src/actors/runtime/wake-timer.ts';
import { ManualClock } from './manual-clock.ts';

let clock: ManualClock;
let timer: WakeTimer;
let wakes: number;

beforeEach(() => {
  clock = new ManualClock();
  wakes = 0;
  timer = new WakeTimer(clock, () => {
    wakes += 1;
  });
});

test('wakes ever later, and no later than every 5 s', async () => {
  const pausesMs: number[] = [];
  for (let failure = 0; failure < 8; failure++) {
    timer.arm();
    pausesMs.push(...clock.delaysMs);
    await clock.advance(5_000);
  }
  expect(pausesMs).toEqual([100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
  expect(wakes).toBe(8);
});

test('is one timer, however often it is set', async () => {
  timer.arm();
  await clock.advance(50);
  timer.arm();
  expect([timer.isSet, clock.delaysMs]).toEqual([true, [50]]);
  await clock.advance(5_000);
  expect([timer.isSet, wakes]).toEqual([false, 1]);
});

test('begins anew when the actor is awake', () => {
  timer.arm();
  timer.cancel();
  timer.arm();
  expect(clock.delaysMs, 'not when it was only put off').toEqual([200]);
  timer.onAwake();
  expect(clock.delaysMs).toEqual([]);
  timer.arm();
  expect(clock.delaysMs).toEqual([100]);
});
