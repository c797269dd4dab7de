import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** A file of the project, by its path from the root. */
export const readDeployed = (path: string): string => readFileSync(root + path, 'utf8');

/** The documents of a YAML file, merge keys resolved. @throws what a strict parser says of it, warnings too. */
export function readYaml(path: string): readonly unknown[] {
  return parseAllDocuments(readDeployed(path), { merge: true, strict: true, uniqueKeys: true }).map(
    (document) => {
      const fault = document.errors[0] ?? document.warnings[0];
      if (fault !== undefined) throw new Error(`${path}: ${fault.message}`);
      return document.toJS();
    },
  );
}

/** `NAME=value` lines, as compose and kubectl read them. */
export function readEnvironmentFile(path: string): Readonly<Record<string, string>> {
  const lines = readDeployed(path)
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
}
