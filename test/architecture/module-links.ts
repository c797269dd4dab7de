import type { SourceFile } from './source-files.ts';
import { nameOf, nodeIn, nodesIn, parse, type SyntaxNode, walk } from './syntax-tree.ts';

/** One way in which a file names another. */
export interface ModuleLink {
  /** A `reference` names a file to start it as a worker or a process; it takes nothing from it. */
  readonly kind: 'import' | 'reference';
  /** As written; undefined where it is not a plain string, so that nobody can tell what is meant. */
  readonly specifier: string | undefined;
  /** What is taken from there; `all` where names can't be told. */
  readonly names: readonly string[] | 'all';
  readonly isTypeOnly: boolean;
  readonly start: number;
}

export interface ModuleLinks {
  readonly links: readonly ModuleLink[];
  /** Names that the file exports. */
  readonly exports: readonly string[];
}

/**
 * Links of every kind: `import`, `import type`, `export … from`, `import('…')`, the type `import('…')`,
 * `new URL('./…', import.meta.url)` and `import.meta.resolve('…')`.
 */
export function linksOf(source: SourceFile): ModuleLinks {
  const links: ModuleLink[] = [];
  const exports: string[] = [];
  for (const { node } of walk(parse(source))) {
    const link = toLink(node);
    if (link !== undefined) links.push(link);
    exports.push(...exportedNames(node));
  }
  return { links, exports };
}

function toLink(node: SyntaxNode): ModuleLink | undefined {
  const { start } = node;
  const kind = 'import';
  switch (node.type) {
    case 'ImportDeclaration':
      return {
        kind,
        specifier: sourceOf(node),
        names: importedNames(node),
        isTypeOnly: isTypeOnly(node),
        start,
      };
    case 'ExportNamedDeclaration': {
      const specifier = sourceOf(node);
      const names = nodesIn(node, 'specifiers').map((item) => nameOf(nodeIn(item, 'local')) ?? '');
      const isType = node['exportKind'] === 'type';
      return specifier === undefined ? undefined : { kind, specifier, names, isTypeOnly: isType, start };
    }
    case 'ExportAllDeclaration':
      return {
        kind,
        specifier: sourceOf(node),
        names: 'all',
        isTypeOnly: node['exportKind'] === 'type',
        start,
      };
    case 'ImportExpression':
      return { kind, specifier: sourceOf(node), names: 'all', isTypeOnly: false, start };
    case 'TSImportType':
      return { kind, specifier: sourceOf(node), names: 'all', isTypeOnly: true, start };
    case 'NewExpression':
      return moduleUrl(node);
    case 'CallExpression':
      return resolvedModule(node);
    default:
      return undefined;
  }
}

const sourceOf = (node: SyntaxNode): string | undefined => textOf(nodeIn(node, 'source'));

/** A name in a variable is not text: nobody can tell what it will be. */
const textOf = (node: SyntaxNode | undefined): string | undefined =>
  node?.type === 'Literal' ? nameOf(node) : undefined;

function importedNames(node: SyntaxNode): readonly string[] | 'all' {
  const specifiers = nodesIn(node, 'specifiers');
  if (specifiers.some(({ type }) => type === 'ImportNamespaceSpecifier')) return 'all';
  return specifiers.map((item) => nameOf(nodeIn(item, 'imported')) ?? 'default');
}

function isTypeOnly(node: SyntaxNode): boolean {
  const specifiers = nodesIn(node, 'specifiers');
  const areAllTypes = specifiers.length > 0 && specifiers.every((item) => item['importKind'] === 'type');
  return node['importKind'] === 'type' || areAllTypes;
}

/** `new URL('./worker.ts', import.meta.url)`: how a worker or a data file is named. */
function moduleUrl(node: SyntaxNode): ModuleLink | undefined {
  const [target, base] = nodesIn(node, 'arguments');
  const isUrl = nameOf(nodeIn(node, 'callee')) === 'URL';
  const isModuleBase = nodeIn(base, 'object')?.type === 'MetaProperty';
  const specifier = textOf(target);
  if (!isUrl || !isModuleBase || specifier?.endsWith('.ts') !== true) return undefined;
  return { kind: 'reference', specifier, names: 'all', isTypeOnly: false, start: node.start };
}

function resolvedModule(node: SyntaxNode): ModuleLink | undefined {
  const callee = nodeIn(node, 'callee');
  const isResolve =
    nodeIn(callee, 'object')?.type === 'MetaProperty' && nameOf(nodeIn(callee, 'property')) === 'resolve';
  if (!isResolve) return undefined;
  const [target] = nodesIn(node, 'arguments');
  return { kind: 'reference', specifier: textOf(target), names: 'all', isTypeOnly: false, start: node.start };
}

function exportedNames(node: SyntaxNode): readonly string[] {
  if (node.type === 'ExportDefaultDeclaration') return ['default'];
  if (node.type !== 'ExportNamedDeclaration') return [];
  const specifiers = nodesIn(node, 'specifiers').map((item) => nameOf(nodeIn(item, 'exported')) ?? '');
  const declaration = nodeIn(node, 'declaration');
  const declared = nodesIn(declaration ?? node, 'declarations').flatMap((item) =>
    patternNames(nodeIn(item, 'id')),
  );
  return [...specifiers, ...declared, ...patternNames(nodeIn(declaration, 'id'))];
}

/** Names that `const x`, `const { x, y: z }` and `const [x]` declare. */
function patternNames(pattern: SyntaxNode | undefined): readonly string[] {
  if (pattern?.type === 'ObjectPattern') {
    return nodesIn(pattern, 'properties').flatMap((item) =>
      patternNames(nodeIn(item, 'value') ?? nodeIn(item, 'argument')),
    );
  }
  if (pattern?.type === 'ArrayPattern') return nodesIn(pattern, 'elements').flatMap(patternNames);
  const name = nameOf(pattern);
  return name === undefined ? [] : [name];
}
