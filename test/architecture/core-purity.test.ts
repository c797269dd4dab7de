import { describe, expect, test } from 'vitest';
import { waits, worldlyNames } from './core-purity.ts';
import { readSources, type SourceFile } from './source-files.ts';

const sources = readSources();
const under = (folder: string): readonly SourceFile[] =>
  sources.filter(({ path }) => path.startsWith(folder));
const allocator = under('src/actors/allocator/');
const runtime = under('src/actors/runtime/');

test('the scan sees the core', () => {
  expect(allocator.length).toBeGreaterThan(15);
  expect(runtime.length).toBeGreaterThan(10);
});

test('the allocator knows no clock, no chance, no input and no output', () => {
  expect(allocator.flatMap(worldlyNames)).toEqual([]);
});

test('the allocator is synchronous', () => {
  expect(allocator.flatMap(waits)).toEqual([]);
});

test('the runtime meets time and chance only through its ports', () => {
  expect(runtime.flatMap(worldlyNames)).toEqual([]);
});

const inFile = (text: string): SourceFile => ({ path: 'src/actors/allocator/x.ts', text });

describe('a violation is caught', () => {
  test.each([
    'const now = Date.now();',
    'const now = new Date();',
    'const chance = Math.random();',
    "const chance = Math['random']();",
    'setTimeout(() => {}, 1);',
    'const later = setImmediate;',
    'queueMicrotask(() => {});',
    'process.exit(1);',
    'console.log(1);',
    'const now = globalThis.Date.now();',
    'const now = performance.now();',
    'const id = crypto.randomUUID();',
    'const of = { process };',
  ])('%s', (text) => {
    expect(worldlyNames(inFile(text)).length).toBeGreaterThan(0);
  });

  test.each([
    'async function f() {}',
    'const f = async () => {};',
    'class A { async m() {} }',
    'await later;',
    'let later: Promise<void>;',
    'Promise.resolve();',
  ])('%s', (text) => {
    expect(waits(inFile(text)).length).toBeGreaterThan(0);
  });

  test.each([
    'const steps = { process: 1, Date: 2 };',
    'const step = steps.process;',
    'interface Steps { readonly process: number }',
    'const max = Math.max(1, 2);',
    'const performance = performances.get(1); performance.prices;',
    '// Date.now() is not for the core',
    "const text = 'Date.now()';",
  ])('and %s is none', (text) => {
    expect([...worldlyNames(inFile(text)), ...waits(inFile(text))]).toEqual([]);
  });
});
