import { describe, expect, test } from 'vitest';
import { listFiles, readSources, type SourceFile } from './source-files.ts';
import { contentFaults, linesMax, nameFaults } from './tidy-rules.ts';

const paths = listFiles();
const sources = readSources();

test('the scan sees the project', () => {
  expect(paths.length).toBeGreaterThan(200);
  expect(sources.length).toBeGreaterThan(200);
  for (const folder of ['src/', 'test/', 'scripts/', 'bench/']) {
    expect(paths.some((path) => path.startsWith(folder))).toBe(true);
  }
});

test('files and folders are named in kebab-case, each for a concept', () => {
  expect(paths.flatMap(nameFaults)).toEqual([]);
});

test('files are short, finished and of syntax that Node runs as it is', () => {
  expect(sources.flatMap(contentFaults)).toEqual([]);
});

describe('an untidy name is caught', () => {
  test.each([
    'src/http/rateLimit.ts',
    'src/http/Rate-limit.ts',
    'src/http/rate_limit.ts',
    'src/Http/rate-limit.ts',
    'src/http/-limit.ts',
    'src/http/utils.ts',
    'src/http/helpers/limit.ts',
    'test/unit/test-helpers.ts',
    'src/common.ts',
    'src/actors/types.ts',
    'src/http/http-utils.test.ts',
  ])('%s', (path) => {
    expect(nameFaults(path)).toHaveLength(1);
  });

  test.each([
    'src/http/rate-limit.ts',
    'src/http/media-type.ts',
    'test/unit/actors/ids.test.ts',
    'test/fixtures/plans/beer-tent.json',
    'src/sqlite/typed-rows.ts',
    'scripts/install.mjs',
  ])('and %s is none', (path) => {
    expect(nameFaults(path)).toEqual([]);
  });
});

const inFile = (text: string, path = 'src/x.ts'): SourceFile => ({ path, text });

describe('untidy content is caught', () => {
  test.each([
    ['x;\n'.repeat(linesMax + 1)],
    [`// ${'TO'}${'DO'}: later`],
    [`const text = '${'FIX'}${'ME'}';`],
    ['export default function f() {}'],
    ['enum A { B }'],
    ['const enum A { B }'],
    ['class A { constructor(private readonly a: number) {} }'],
    ['namespace N { export const a = 1; }'],
    ["import fs = require('node:fs');"],
    ['const a = <number>b;'],
    ['@sealed class A {}'],
    ["test.skip('a', () => {});"],
    ["describe.only('a', () => {});"],
    ["it.todo('a');"],
    ["test.each([1]).only('a', () => {});"],
    ["test.concurrent.skip('a', () => {});"],
    ["test.skipIf(true)('a', () => {});"],
  ])('%s', (text) => {
    expect(contentFaults(inFile(text))).toHaveLength(1);
  });

  test.each([
    ['x;\n'.repeat(linesMax), 'src/x.ts'],
    ['export default {};', 'vitest.config.ts'],
    ['export default function () {}', 'k6/drop.js'],
    ['declare namespace N { const a: number }', 'src/x.ts'],
    ['const rows = list.skip(3); const only = rows.only;', 'src/x.ts'],
    ['const methods = [];', 'src/x.ts'],
  ])('and %s in %s is none', (text, path) => {
    expect(contentFaults(inFile(text, path))).toEqual([]);
  });
});
