import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { temporaryDirectory } from './usher-process.ts';

const project = fileURLToPath(new URL('../../', import.meta.url));

export const nextVersion = '0.99.0';

/** The same code under a later version's name, as a rolling upgrade has it. */
export function installNextVersion(): { readonly mainPath: string; remove(): void } {
  const { path, remove } = temporaryDirectory();
  const manifest = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'));
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, 'package.json'), JSON.stringify({ ...manifest, version: nextVersion }));
  cpSync(join(project, 'src'), join(path, 'src'), { recursive: true });
  symlinkSync(join(project, 'node_modules'), join(path, 'node_modules'));
  return { mainPath: join(path, 'src', 'main.ts'), remove };
}
