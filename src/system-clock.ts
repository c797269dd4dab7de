import { performance } from 'node:perf_hooks';
import type { Clock } from './actors/runtime/ports.ts';

/** The longest delay that setTimeout keeps; a longer one would fire at once. */
const timerDelayMsMax = 2 ** 31 - 1;

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  setTimer(delayMs, task) {
    const timer = setTimeout(task, Math.min(delayMs, timerDelayMsMax)).unref();
    return { cancel: () => clearTimeout(timer) };
  },
  defer: (task) => void setImmediate(task),
};
