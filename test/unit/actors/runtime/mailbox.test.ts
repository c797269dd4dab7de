import { expect, test } from 'vitest';
import { Mailbox } from '../../../../src/actors/runtime/mailbox.ts';

test('first in, first out, and a full one says so', () => {
  const mailbox = new Mailbox<string>(2);
  expect([mailbox.offer('a'), mailbox.offer('b'), mailbox.offer('c')]).toEqual([true, true, false]);
  expect(mailbox.size).toBe(2);
  expect(mailbox.drain()).toEqual(['a', 'b']);
  expect(mailbox.size).toBe(0);
});

test('what comes while it is drained waits for the next time', () => {
  const mailbox = new Mailbox<string>(1);
  mailbox.offer('a');
  const drained = mailbox.drain();
  expect(mailbox.offer('b')).toBe(true);
  expect(drained).toEqual(['a']);
  expect(mailbox.drain()).toEqual(['b']);
});
