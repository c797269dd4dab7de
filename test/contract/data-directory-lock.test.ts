import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type DataDirectoryLock,
  DataDirectoryUnusable,
  lockDataDirectory,
} from '../../src/persistence/sqlite/data-directory-lock.ts';
import { TestProcess } from './processes/child-process.ts';
import { temporaryDirectory } from './sqlite-harness.ts';

describe('lockDataDirectory', () => {
  let parent: string;
  let directory: string;
  let lock: DataDirectoryLock | undefined;

  beforeEach(() => {
    parent = temporaryDirectory();
    directory = join(parent, 'a', 'data');
  });
  afterEach(() => {
    lock?.release();
    lock = undefined;
    rmSync(parent, { recursive: true });
  });

  const refusal = (run: () => DataDirectoryLock): string => {
    try {
      run().release();
    } catch (error) {
      expect(error).toBeInstanceOf(DataDirectoryUnusable);
      return (error as Error).message;
    }
    return 'not refused';
  };

  it('makes the directory, for its owner only, and says who has it', () => {
    lock = lockDataDirectory(directory);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    expect(readFileSync(join(directory, 'usher.pid'), 'utf8')).toBe(`${process.pid}\n`);
  });

  it('refuses a second one in the same process', () => {
    lock = lockDataDirectory(directory);
    const expected = `the data directory ${directory} is in use by process ${process.pid}`;
    expect(refusal(() => lockDataDirectory(directory))).toBe(expected);
  });

  it('can be taken again after release, which may be repeated', () => {
    lock = lockDataDirectory(directory);
    lock.release();
    lock.release();
    expect(existsSync(join(directory, 'usher.pid'))).toBe(false);
    lock = lockDataDirectory(directory);
    expect(refusal(() => lockDataDirectory(directory))).toContain('in use');
  });

  it('refuses while another process has it, and is free at once when that one is killed', async () => {
    for (let round = 0; round < 3; round++) {
      const holder = new TestProcess('hold-data-directory.ts', directory);
      expect(await holder.line()).toBe('locked');
      const expected = `the data directory ${directory} is in use by process ${holder.child.pid}`;
      expect(refusal(() => lockDataDirectory(directory))).toBe(expected);
      await holder.kill();
      lock = lockDataDirectory(directory);
      lock.release();
    }
  });

  it('names the directory that cannot be written, and why', () => {
    writeFileSync(join(parent, 'a'), 'a file, not a directory');
    expect(refusal(() => lockDataDirectory(directory))).toMatch(
      new RegExp(`^the data directory ${directory} cannot be written: ENOTDIR`),
    );
  });

  it('names the directory whose lock file cannot be opened', () => {
    mkdirSync(join(directory, 'usher.lock'), { recursive: true });
    expect(refusal(() => lockDataDirectory(directory))).toBe(
      `the data directory ${directory} cannot be written: unable to open database file`,
    );
  });
});
