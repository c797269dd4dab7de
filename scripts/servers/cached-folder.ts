import { chmodSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const cache = fileURLToPath(new URL('../../.cache/', import.meta.url));

/** The path of `.cache/<name>`, which `build` fills once: it is given the folder to write to. */
export function cachedFolder(name: string, build: (folder: string) => void): string {
  const folder = join(cache, name);
  if (existsSync(folder)) return folder;
  mkdirSync(cache, { recursive: true });
  // Elsewhere first, so that nobody takes a half-written folder for it.
  const building = mkdtempSync(join(cache, 'building-'));
  try {
    build(building);
    // Made for its owner alone; the next test run may be another user's.
    chmodSync(building, 0o755);
    renameSync(building, folder);
  } catch (error) {
    // Another process may have been faster.
    if (!existsSync(folder)) throw error;
  } finally {
    rmSync(building, { recursive: true, force: true });
  }
  return folder;
}
