import type { Edge } from './module-graph.ts';

/**
 * The layers of src and the arrows between them. A layer is a folder, or one of the files that stand in src
 * itself; `process` are the rest of these.
 */
type Layer = keyof typeof mayImport;

const core = ['allocator', 'runtime'] as const;

/** Adapters know the core and themselves, never each other. */
const mayImport = {
  allocator: ['allocator'],
  runtime: core,
  catalog: [...core, 'catalog'],
  telemetry: [...core, 'telemetry'],
  http: [...core, 'http'],
  // What every file of SQLite's and every connection to MySQL or Redis needs; the adapters that have them stand
  // on it.
  sqlite: [...core, 'sqlite'],
  mysql: [...core, 'mysql'],
  redis: [...core, 'redis'],
  persistence: [...core, 'sqlite', 'mysql', 'redis', 'persistence'],
  cluster: [...core, 'redis', 'cluster'],
  ledger: [...core, 'sqlite', 'mysql', 'redis', 'ledger'],
  process: [...core, 'process'],
  compose: [
    ...core,
    'catalog',
    'telemetry',
    'http',
    'sqlite',
    'mysql',
    'redis',
    'persistence',
    'cluster',
    'ledger',
    'process',
    'compose',
  ],
  cli: [
    ...core,
    'catalog',
    'telemetry',
    'http',
    'sqlite',
    'mysql',
    'redis',
    'persistence',
    'cluster',
    'ledger',
    'process',
    'compose',
    'cli',
  ],
  main: ['cli', 'process'],
} as const satisfies Record<string, readonly string[]>;

/** Types alone may come from here as well. */
const mayImportTypes: Partial<Record<Layer, readonly Layer[]>> = { http: ['telemetry'] };

/** Layers that know no package, and nothing of Node: everything else comes to them through ports. */
const withoutPackages: readonly Layer[] = ['allocator', 'runtime'];

const rootFiles: Readonly<Record<string, Layer>> = {
  'src/main.ts': 'main',
  'src/compose.ts': 'compose',
  'src/open-storage.ts': 'compose',
  'src/open-side-servers.ts': 'compose',
  'src/open-cluster.ts': 'compose',
  'src/open-http.ts': 'compose',
  'src/config.ts': 'process',
  'src/setting.ts': 'process',
  'src/server-settings.ts': 'process',
  'src/cluster-settings.ts': 'process',
  'src/shutdown.ts': 'process',
  'src/system-clock.ts': 'process',
};

/** Undefined for a file of src that no layer claims; it gets its place here first. */
export function layerOf(path: string): Layer | undefined {
  const [, folder = '', inner = ''] = path.split('/');
  if (rootFiles[path] !== undefined) return rootFiles[path];
  const name = folder === 'actors' ? inner : folder;
  const isFolder = path.startsWith(`src/${folder === 'actors' ? 'actors/' : ''}${name}/`);
  return isFolder && Object.hasOwn(mayImport, name) ? (name as Layer) : undefined;
}

/** What is wrong with an import, as a line to read; undefined when nothing is. */
export function layerFault(edge: Edge): string | undefined {
  const { from, to, specifier } = edge;
  if (to === 'src/main.ts' && edge.kind === 'import') return `${from} imports src/main.ts: nobody does`;
  if (!from.startsWith('src/')) return undefined;
  const layer = layerOf(from);
  if (layer === undefined) return `${from} belongs to no layer`;
  if (to === undefined) {
    return withoutPackages.includes(layer)
      ? `${from} (${layer}) imports ${specifier}: no packages here`
      : undefined;
  }
  const target = layerOf(to);
  const isAllowed = (mayImport[layer] as readonly (Layer | undefined)[]).includes(target);
  const isAllowedType =
    edge.isTypeOnly && target !== undefined && mayImportTypes[layer]?.includes(target) === true;
  return isAllowed || isAllowedType
    ? undefined
    : `${from} (${layer}) imports ${to} (${target ?? 'no layer'})`;
}
