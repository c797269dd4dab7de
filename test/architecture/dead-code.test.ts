import { describe, expect, test } from 'vitest';
import { ModuleGraph } from './module-graph.ts';
import { readSources } from './source-files.ts';

const entry = 'src/main.ts';

/** Files of src that no other file names. */
function deadFiles(graph: ModuleGraph): readonly string[] {
  const named = new Set(graph.edges.filter(({ from, to }) => from !== to).map(({ to }) => to));
  return [...graph.exportsOf.keys()].filter(
    (path) => path.startsWith('src/') && path !== entry && !named.has(path),
  );
}

/** Exports of src that no other file takes, as `path: name`. */
function deadExports(graph: ModuleGraph): readonly string[] {
  const taken = new Map<string, Set<string> | 'all'>();
  for (const { from, to, kind, names } of graph.edges) {
    if (to === undefined || from === to || kind === 'reference') continue;
    const before = taken.get(to) ?? new Set<string>();
    taken.set(to, names === 'all' || before === 'all' ? 'all' : new Set([...before, ...names]));
  }
  return [...graph.exportsOf].flatMap(([path, names]) => {
    const takenHere = taken.get(path);
    if (!path.startsWith('src/') || takenHere === 'all') return [];
    return names.filter((name) => takenHere?.has(name) !== true).map((name) => `${path}: ${name}`);
  });
}

describe('the project', () => {
  const graph = new ModuleGraph(readSources());

  test('the scan sees its exports', () => {
    const names = [...graph.exportsOf.values()].flat();
    expect(names.length).toBeGreaterThan(300);
    expect(graph.exportsOf.get('src/actors/allocator/decide.ts')).toContain('decide');
  });

  test('every file of src is named by another', () => {
    expect(deadFiles(graph)).toEqual([]);
  });

  test('every export of src is taken by another file', () => {
    expect(deadExports(graph)).toEqual([]);
  });
});

describe('dead code is caught', () => {
  const graph = new ModuleGraph([
    { path: entry, text: `import { a, type T } from './a.ts'; new URL('./worker.ts', import.meta.url);` },
    {
      path: 'src/a.ts',
      text: `export const a = 1, b = 2; export function c() {} export class D {} export type T = 1; export interface I {} const e = 3, f = 4; export { e as g, f }; export const { h, i: [j] } = k;`,
    },
    {
      path: 'src/alone.ts',
      text: `import { b } from './a.ts'; import { own } from './alone.ts'; export const own = b;`,
    },
    { path: 'src/worker.ts', text: `export const w = 1;` },
    { path: 'src/all.ts', text: `export const x = 1; export const y = 1;` },
    {
      path: 'test/unit/all.test.ts',
      text: `import * as all from '../../src/all.ts'; import { f } from '../../src/a.ts';`,
    },
  ]);

  test('a file that nobody names, itself not counted', () => {
    expect(deadFiles(graph)).toEqual(['src/alone.ts']);
  });

  test('an export that nobody takes; a namespace takes all, a worker’s name none', () => {
    expect(deadExports(graph)).toEqual([
      'src/a.ts: c',
      'src/a.ts: D',
      'src/a.ts: I',
      'src/a.ts: g',
      'src/a.ts: h',
      'src/a.ts: j',
      'src/alone.ts: own',
      'src/worker.ts: w',
    ]);
  });
});
