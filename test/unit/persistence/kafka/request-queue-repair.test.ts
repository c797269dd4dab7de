import { createRequire } from 'node:module';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { repairRequestQueue } from '../../../../src/persistence/kafka/request-queue-repair.ts';

const require = createRequire(import.meta.url);
const RequestQueue = require('kafkajs/src/network/requestQueue');
const scheduleCheckPendingRequests = RequestQueue.prototype.scheduleCheckPendingRequests;

describe('the request queue of kafkajs', () => {
  const sent: number[] = [];
  const delaysMs: (number | undefined)[] = [];
  // biome-ignore lint/suspicious/noExplicitAny: kafkajs has no types for it.
  let queue: any;

  beforeEach(() => {
    vi.useFakeTimers();
    const { setTimeout: set } = globalThis;
    vi.spyOn(globalThis, 'setTimeout').mockImplementation(((task: () => void, delayMs?: number) => {
      delaysMs.push(delayMs);
      return set(task, delayMs);
    }) as typeof setTimeout);
    sent.length = 0;
    delaysMs.length = 0;
    const logger = { debug: () => {}, warn: () => {}, error: () => {} };
    queue = new RequestQueue({
      maxInFlightRequests: 1,
      requestTimeout: 1000,
      clientId: '',
      broker: '',
      logger,
    });
  });
  afterEach(() => {
    // In this order: what was spied on is the fake one, and would be put back.
    vi.restoreAllMocks();
    vi.useRealTimers();
    RequestQueue.prototype.scheduleCheckPendingRequests = scheduleCheckPendingRequests;
  });

  const push = (correlationId: number) =>
    queue.push({
      entry: { correlationId, resolve: () => {}, reject: () => {} },
      expectResponse: true,
      sendRequest: () => sent.push(correlationId),
    });
  const answer = (correlationId: number) =>
    queue.fulfillRequest({ correlationId, payload: Buffer.alloc(0), size: 0 });

  it('as it comes looks again and again at nothing, for a time that is past', () => {
    push(1);
    answer(1);
    vi.advanceTimersByTime(100);
    expect(delaysMs.length).toBeGreaterThan(50);
    expect(Math.min(...delaysMs.map(Number))).toBeLessThan(0);
  });

  it('rests once it is repaired', () => {
    repairRequestQueue();
    push(1);
    answer(1);
    vi.advanceTimersByTime(10_000);
    expect(delaysMs).toEqual([]);
  });

  it('still sends all that waits, in order', () => {
    repairRequestQueue();
    for (const id of [1, 2, 3]) push(id);
    expect(sent).toEqual([1]);
    answer(1);
    expect(sent).toEqual([1, 2]);
    answer(2);
    answer(3);
    expect(sent).toEqual([1, 2, 3]);
    vi.advanceTimersByTime(10_000);
    expect(delaysMs.every((delayMs) => Number(delayMs) > 0)).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('still sends what was held back at a broker’s request', () => {
    repairRequestQueue();
    queue.maybeThrottle(500);
    push(1);
    vi.advanceTimersByTime(490);
    expect(sent).toEqual([]);
    vi.advanceTimersByTime(50);
    expect(sent).toEqual([1]);
  });
});
