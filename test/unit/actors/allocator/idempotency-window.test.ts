import { describe, expect, test } from 'vitest';
import {
  IdempotencyWindow,
  idempotencyWindowMs,
  type Memo,
} from '../../../../src/actors/allocator/idempotency-window.ts';
import { mark, reservationNumber, user } from './schedule-script.ts';

const memoAt = (atMs: number, seq = 1): Memo => ({
  kind: 'held',
  seq,
  atMs,
  fingerprint: 1,
  number: reservationNumber(seq),
  expiresAtMs: atMs + 1,
});

test('24 hours are the contract', () => {
  expect(idempotencyWindowMs).toBe(86_400_000);
});

describe('a memo is found for 24 hours', () => {
  const window = new IdempotencyWindow();
  const memo = memoAt(1_000);
  window.remember(user('ann'), mark('k'), memo);

  test.each([1_000, 1_001, 1_000 + idempotencyWindowMs - 1])('at %i', (nowMs) => {
    expect(window.find(user('ann'), mark('k'), nowMs)).toBe(memo);
  });
  test.each([1_000 + idempotencyWindowMs, 2_000 + idempotencyWindowMs])('no longer at %i', (nowMs) => {
    expect(window.find(user('ann'), mark('k'), nowMs)).toBeUndefined();
  });
  test("not by another key, nor as somebody else's", () => {
    expect(window.find(user('ann'), mark('K'), 1_000)).toBeUndefined();
    expect(window.find(user('bob'), mark('k'), 1_000)).toBeUndefined();
  });
  test('with whatever fingerprint: the caller compares', () => {
    expect(window.find(user('ann'), mark('k', 999), 1_000)).toBe(memo);
  });
});

test('user and key are told apart', () => {
  const window = new IdempotencyWindow();
  window.remember(user('a'), mark('b:c'), memoAt(1, 1));
  window.remember(user('a:b'), mark('c'), memoAt(2, 2));
  expect(window.find(user('a'), mark('b:c'), 3)?.seq).toBe(1);
  expect(window.find(user('a:b'), mark('c'), 3)?.seq).toBe(2);
});

describe('forgetting', () => {
  const filled = (): IdempotencyWindow => {
    const window = new IdempotencyWindow();
    for (const atMs of [10, 20, 20, 30]) window.remember(user('ann'), mark(`k${window.size}`), memoAt(atMs));
    return window;
  };

  test.each([
    [9, 4],
    [10, 3],
    [19, 3],
    [20, 1],
    [30, 0],
    [99, 0],
  ])('24 hours after %i, %i are left', (atMs, left) => {
    const window = filled();
    window.forgetBefore(atMs + idempotencyWindowMs);
    expect(window.size).toBe(left);
  });

  test('of one request, by the seq of its event', () => {
    const window = filled();
    window.forget(user('ann'), mark('k1'), 1);
    expect([window.size, window.find(user('ann'), mark('k1'), 21)]).toEqual([3, undefined]);
  });

  test('of one request leaves a later one with the same key alone', () => {
    const window = new IdempotencyWindow();
    window.remember(user('ann'), mark('k'), memoAt(10, 5));
    for (const [name, key, seq] of [
      ['ann', 'k', 4],
      ['bob', 'k', 5],
      ['ann', 'x', 5],
    ] as const) {
      window.forget(user(name), mark(key), seq);
    }
    expect(window.size).toBe(1);
  });

  test('goes on after everything was forgotten', () => {
    const window = filled();
    window.forgetBefore(30 + idempotencyWindowMs);
    window.remember(user('ann'), mark('new'), memoAt(1_000 + idempotencyWindowMs));
    window.forgetBefore(1_000 + 2 * idempotencyWindowMs - 1);
    expect(window.size).toBe(1);
    window.forgetBefore(1_000 + 2 * idempotencyWindowMs);
    expect(window.size).toBe(0);
  });

  test('a key used again after its time is remembered in its new place', () => {
    const window = filled();
    const againMs = 10 + idempotencyWindowMs;
    window.forgetBefore(againMs);
    window.remember(user('ann'), mark('k0'), memoAt(againMs, 9));
    window.forgetBefore(30 + idempotencyWindowMs);
    expect(window.size).toBe(1);
    expect(window.find(user('ann'), mark('k0'), againMs)?.seq).toBe(9);
    window.forgetBefore(againMs + idempotencyWindowMs);
    expect(window.size).toBe(0);
  });
});
