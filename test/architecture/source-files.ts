import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A file of the project, by its path from the root with forward slashes. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Folders that hold the project's code; each is there from some issue on. */
export const codeFolders = ['src', 'test', 'bench', 'scripts', 'k6'];

const isCode = (path: string): boolean => /\.(ts|mjs|js)$/.test(path);

/** All files under these folders, as paths; folders that are not there yet are left out. */
export function listFiles(folders: readonly string[] = codeFolders): readonly string[] {
  return folders
    .filter((folder) => existsSync(root + folder))
    .flatMap(listFolder)
    .sort();
}

export const readSource = (path: string): SourceFile => ({ path, text: readFileSync(root + path, 'utf8') });

/** All code of the project, its configuration included. */
export const readSources = (): readonly SourceFile[] =>
  [...listFiles().filter(isCode), 'vitest.config.ts'].map(readSource);

function listFolder(folder: string): readonly string[] {
  return readdirSync(root + folder).flatMap((name) => {
    const path = `${folder}/${name}`;
    return statSync(root + path).isDirectory() ? listFolder(path) : [path];
  });
}
