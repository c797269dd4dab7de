import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { layerFault, layerOf } from './layers.ts';
import { ModuleGraph } from './module-graph.ts';
import { readSources, type SourceFile } from './source-files.ts';

const sources = readSources();
const inSrc = sources.filter(({ path }) => path.startsWith('src/'));
const graph = new ModuleGraph(sources);

describe('the scan sees the project', () => {
  test('hundreds of files and links, a known one among them', () => {
    expect(inSrc.length).toBeGreaterThan(100);
    expect(graph.edges.length).toBeGreaterThan(500);
    expect(graph.edges).toContainEqual(
      expect.objectContaining({
        from: 'src/actors/runtime/actor.ts',
        to: 'src/actors/allocator/decide.ts',
        names: ['decide', 'isRejection'],
      }),
    );
  });

  test('files in every folder of src', () => {
    const src = fileURLToPath(new URL('../../src', import.meta.url));
    const folders = readdirSync(src, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => `src${`${entry.parentPath}/${entry.name}/`.slice(src.length)}`);
    expect(folders.length).toBeGreaterThan(5);
    expect(folders.filter((folder) => !inSrc.some(({ path }) => path.startsWith(folder)))).toEqual([]);
  });

  test('as many imports as a plain search for text', () => {
    const lines = inSrc.flatMap(({ text }) => text.match(/ from '[^']+';$/gm) ?? []);
    const imports = graph.edges.filter(({ from, names }) => from.startsWith('src/') && names !== 'all');
    const namespaces = graph.edges.filter(({ from, names }) => from.startsWith('src/') && names === 'all');
    expect(lines.length).toBeGreaterThan(300);
    expect(lines.length).toBeGreaterThanOrEqual(imports.length);
    expect(lines.length).toBeLessThanOrEqual(imports.length + namespaces.length);
  });
});

describe('the project', () => {
  test('every link can be followed', () => {
    expect(graph.faults).toEqual([]);
  });

  test('every file of src belongs to a layer', () => {
    expect(inSrc.map(({ path }) => path).filter((path) => layerOf(path) === undefined)).toEqual([]);
  });

  test('every arrow between layers is allowed', () => {
    expect(graph.edges.map(layerFault).filter((fault) => fault !== undefined)).toEqual([]);
  });

  test('no two files import each other, directly or in a ring', () => {
    expect(graph.cycles()).toEqual([]);
  });
});

/** What the rules say of one file with this text, where its targets exist. */
function faultsOf(path: string, text: string): readonly string[] {
  const targets = [
    'src/main.ts',
    'src/compose.ts',
    'src/config.ts',
    'src/cli/serve.ts',
    'src/http/app.ts',
    'src/persistence/store.ts',
    'src/sqlite/database.ts',
    'src/redis/redis.ts',
    'src/telemetry/metrics.ts',
    'src/catalog/plan.ts',
    'src/actors/runtime/actor.ts',
    'src/actors/allocator/decide.ts',
    'src/ledger/worker.ts',
  ].filter((target) => target !== path);
  const project: SourceFile[] = [{ path, text }, ...targets.map((target) => ({ path: target, text: '' }))];
  const { edges, faults } = new ModuleGraph(project);
  return [...faults, ...edges.map(layerFault).filter((fault) => fault !== undefined)];
}

describe('a violation is caught', () => {
  test.each([
    ['src/actors/allocator/state.ts', `import { a } from '../runtime/actor.ts';`],
    ['src/actors/allocator/state.ts', `import type { A } from '../runtime/actor.ts';`],
    ['src/actors/allocator/state.ts', `import { hash } from 'node:crypto';`],
    ['src/actors/allocator/state.ts', `import type { X } from 'valibot';`],
    ['src/actors/runtime/mailbox.ts', `import { LRUCache } from 'lru-cache';`],
    ['src/actors/runtime/mailbox.ts', `import { setTimeout } from 'node:timers';`],
    ['src/actors/runtime/mailbox.ts', `export { store } from '../../persistence/store.ts';`],
    ['src/http/route.ts', `import { store } from '../persistence/store.ts';`],
    ['src/http/route.ts', `import type { Store } from '../persistence/store.ts';`],
    ['src/http/route.ts', `export * from '../persistence/store.ts';`],
    ['src/http/route.ts', `const store = await import('../persistence/store.ts');`],
    ['src/http/route.ts', `type Store = import('../persistence/store.ts').Store;`],
    ['src/http/route.ts', `const worker = new URL('../ledger/worker.ts', import.meta.url);`],
    ['src/http/route.ts', `const worker = import.meta.resolve('../ledger/worker.ts');`],
    ['src/http/route.ts', `import { metrics } from '../telemetry/metrics.ts';`],
    ['src/http/route.ts', `import { plan } from '../catalog/plan.ts';`],
    ['src/http/route.ts', `import { config } from '../config.ts';`],
    ['src/http/route.ts', `import { compose } from '../compose.ts';`],
    ['src/persistence/sqlite/store.ts', `import { app } from '../../http/app.ts';`],
    ['src/sqlite/transactions.ts', `import { store } from '../persistence/store.ts';`],
    ['src/http/route.ts', `import { openDatabase } from '../sqlite/database.ts';`],
    ['src/http/route.ts', `import type { Redis } from '../redis/redis.ts';`],
    ['src/redis/redis-connection.ts', `import { store } from '../persistence/store.ts';`],
    ['src/telemetry/log.ts', `import { app } from '../http/app.ts';`],
    ['src/catalog/plan-layout.ts', `import { store } from '../persistence/store.ts';`],
    ['src/ledger/lane.ts', `import { store } from '../persistence/store.ts';`],
    ['src/persistence/sqlite/store.ts', `import { worker } from '../../ledger/worker.ts';`],
    ['src/config.ts', `import { app } from './http/app.ts';`],
    ['src/compose.ts', `import { serve } from './cli/serve.ts';`],
    ['src/main.ts', `import { compose } from './compose.ts';`],
    ['src/cli/demo.ts', `import '../main.ts';`],
    ['test/unit/main.test.ts', `import '../../src/main.ts';`],
    ['src/cli/demo.ts', `import { gone } from './gone.ts';`],
    ['src/cli/demo.ts', `const name = 'x'; await import(name);`],
    ['src/stray/file.ts', `import { app } from '../http/app.ts';`],
  ])('%s with %s', (path, text) => {
    expect(faultsOf(path, text)).toHaveLength(1);
  });

  test.each([
    ['src/actors/allocator/state.ts', `import { decide } from './decide.ts';`],
    ['src/actors/runtime/mailbox.ts', `import { decide } from '../allocator/decide.ts';`],
    ['src/http/route.ts', `import type { Metrics } from '../telemetry/metrics.ts';`],
    ['src/http/route.ts', `import { type Metrics } from '../telemetry/metrics.ts';`],
    ['src/http/route.ts', `import { createServer } from 'node:http'; import * as v from 'valibot';`],
    ['src/http/route.ts', `// import { store } from '../persistence/store.ts';`],
    ['src/http/route.ts', `const text = "import { store } from '../persistence/store.ts'";`],
    [
      'src/compose.ts',
      `import { app } from './http/app.ts'; import { store } from './persistence/store.ts';`,
    ],
    [
      'src/cli/demo.ts',
      `import { compose } from '../compose.ts'; import { plan } from '../catalog/plan.ts';`,
    ],
    ['src/persistence/sqlite/store.ts', `import { openDatabase } from '../../sqlite/database.ts';`],
    ['src/ledger/book.ts', `import { openDatabase } from '../sqlite/database.ts';`],
    ['src/ledger/redis/balance-cache.ts', `import type { Redis } from '../../redis/redis.ts';`],
    ['src/persistence/redis/counts.ts', `import type { Redis } from '../../redis/redis.ts';`],
    ['src/main.ts', `import { serve } from './cli/serve.ts';`],
    ['test/integration/process.ts', `const main = new URL('../../src/main.ts', import.meta.url);`],
    ['test/unit/x.test.ts', `import { store } from '../../src/persistence/store.ts';`],
  ])('and %s with %s is none', (path, text) => {
    expect(faultsOf(path, text)).toEqual([]);
  });

  test('a ring of files, with types alone as well', () => {
    const ring = new ModuleGraph([
      { path: 'src/http/a.ts', text: `import { b } from './b.ts';` },
      { path: 'src/http/b.ts', text: `import type { C } from './c.ts';` },
      { path: 'src/http/c.ts', text: `export { a } from './a.ts';` },
      { path: 'src/http/d.ts', text: `import { a } from './a.ts';` },
    ]);
    expect(ring.cycles()).toEqual(['src/http/a.ts → src/http/b.ts → src/http/c.ts → src/http/a.ts']);
  });
});
