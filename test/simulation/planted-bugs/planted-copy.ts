import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Edit, PlantedBug } from './planted-bug.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));

const folders = [
  'src/actors',
  'src/cluster',
  'src/persistence',
  'src/ledger',
  'src/sqlite',
  'test/simulation',
];

export interface PlantedCopy {
  /** The simulation's worker, beside the code that has the bug. */
  readonly worker: URL;
  remove(): void;
}

/** Copies the code under test and the simulation, in the places where they find each other, and plants the bug. */
export function plant(bug: PlantedBug): PlantedCopy {
  const copy = mkdtempSync(join(tmpdir(), 'usher-planted-'));
  const remove = () => rmSync(copy, { recursive: true, force: true });
  try {
    for (const folder of folders) {
      cpSync(join(root, folder), join(copy, folder), { recursive: true });
    }
    writeFileSync(join(copy, 'package.json'), '{ "type": "module" }\n');
    for (const edit of bug.edits) applyEdit(copy, edit);
  } catch (error) {
    remove();
    throw error;
  }
  return { worker: pathToFileURL(join(copy, 'test/simulation/simulation-worker.ts')), remove };
}

function applyEdit(copy: string, { file, find, replace }: Edit): void {
  const path = join(copy, file);
  const parts = readFileSync(path, 'utf8').split(find);
  if (parts.length !== 2) {
    throw new Error(`${file} has ${parts.length - 1} places, not 1, that read\n${find}`);
  }
  writeFileSync(path, parts.join(replace));
}
