import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Buyer } from './buyer.ts';
import { createHall } from './small-hall.ts';
import { temporaryDirectory, UsherProcess } from './usher-process.ts';

/** usher.db names the payments that ledger.db has: neither is of use, or harmless, with another one. */
let directory: { path: string; remove: () => void };

beforeEach(async () => {
  directory = temporaryDirectory();
  const usher = await UsherProcess.start(directory.path);
  const { scheduleId } = await createHall(usher, { rows: 1, seatsPerRow: 4 });
  const ada = await Buyer.of(usher, 'ada');
  await ada.charge(usher, 5_000, 'first');
  expect((await ada.pay(usher, await ada.hold(usher, scheduleId, 'R1-1'))).status).toBe(200);
  await usher.stop('SIGTERM');
});

afterEach(() => directory.remove());

const remove = (name: string) => {
  for (const suffix of ['', '-wal', '-shm']) rmSync(join(directory.path, name + suffix), { force: true });
};

describe('a pair that does not belong together', () => {
  test.each(['ledger.db', 'usher.db'])('%s is gone: the node does not start, and says why', async (name) => {
    remove(name);
    await expect(UsherProcess.start(directory.path)).rejects.toThrow('do not belong together');
    // Nor the next time: what the first attempt made anew is no better.
    await expect(UsherProcess.start(directory.path)).rejects.toThrow('do not belong together');
  });

  test('a ledger from another directory', async () => {
    const other = temporaryDirectory();
    try {
      await (await UsherProcess.start(other.path)).stop('SIGTERM');
      cpSync(join(other.path, 'ledger.db'), join(directory.path, 'ledger.db'));
      await expect(UsherProcess.start(directory.path)).rejects.toThrow('do not belong together');
    } finally {
      other.remove();
    }
  });
});

test('the pair itself starts again, and copied as a whole as well', async () => {
  const copy = temporaryDirectory();
  try {
    cpSync(directory.path, copy.path, { recursive: true });
    const usher = await UsherProcess.start(copy.path);
    const ada = await Buyer.of(usher, 'ada');
    expect(await ada.balance(usher)).toBe(500);
    await usher.stop('SIGTERM');
  } finally {
    copy.remove();
  }
});
