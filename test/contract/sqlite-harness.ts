import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteStore } from '../../src/persistence/sqlite/sqlite-store.ts';
import type { StoreHarness } from './store-harness.ts';

export function sqliteHarness(): StoreHarness {
  const directory = temporaryDirectory();
  return {
    open: () => openSqliteStore({ directory }),
    dispose: () => rmSync(directory, { recursive: true }),
  };
}

export const temporaryDirectory = (): string => mkdtempSync(join(tmpdir(), 'usher-store-'));
