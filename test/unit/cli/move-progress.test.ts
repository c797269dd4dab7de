import { expect, test } from 'vitest';
import { MoveProgress } from '../../../src/cli/move-progress.ts';

function written(isTTY: boolean): string {
  let text = '';
  const progress = new MoveProgress({
    isTTY,
    write: (part) => {
      text += part;
    },
  });
  progress.show({ total: 85, done: 0, inFlight: 8, failed: 0 });
  progress.show({ total: 85, done: 0, inFlight: 8, failed: 0 });
  progress.showSilence('no answer');
  progress.show({ total: 85, done: 12, inFlight: 8, failed: 1 });
  progress.end();
  return text;
}

test('a line for each change', () => {
  expect(written(false)).toBe(
    'moved 0 of 85, 8 in flight, 0 failed\nno answer; asking again\nmoved 12 of 85, 8 in flight, 1 failed\n',
  );
});

test('one line that changes, on a terminal', () => {
  const start = '\r\x1b[K';
  expect(written(true)).toBe(
    `${start}moved 0 of 85, 8 in flight, 0 failed${start}no answer; asking again${start}moved 12 of 85, 8 in flight, 1 failed\n`,
  );
});

test('nothing shown, nothing ended', () => {
  let text = '';
  new MoveProgress({ isTTY: true, write: (part) => (text += part) }).end();
  expect(text).toBe('');
});
