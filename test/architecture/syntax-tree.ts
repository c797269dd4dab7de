import { parseAst } from 'vitest/node';
import type { SourceFile } from './source-files.ts';

/** A node of the syntax tree (ESTree with TypeScript's nodes). */
export interface SyntaxNode {
  readonly type: string;
  /** Offset in the text. */
  readonly start: number;
  readonly [field: string]: unknown;
}

/** Throws on a syntax error. */
export function parse({ path, text }: SourceFile): SyntaxNode {
  const isTypeScript = path.endsWith('.ts');
  const options = isTypeScript ? ({ lang: 'ts', astType: 'ts' } as const) : undefined;
  return parseAst(text, options, path) as unknown as SyntaxNode;
}

/** Every node under `tree`, parents first, with the parent and the field that holds it. */
export function* walk(
  tree: SyntaxNode,
  parent?: SyntaxNode,
  field = '',
): Generator<{ readonly node: SyntaxNode; readonly parent: SyntaxNode | undefined; readonly field: string }> {
  yield { node: tree, parent, field };
  for (const [name, value] of Object.entries(tree)) {
    for (const child of Array.isArray(value) ? value : [value])
      if (isNode(child)) yield* walk(child, tree, name);
  }
}

export const isNode = (value: unknown): value is SyntaxNode =>
  typeof value === 'object' && value !== null && typeof (value as SyntaxNode).type === 'string';

/** The nodes in a field that holds a list. */
export const nodesIn = (node: SyntaxNode, field: string): readonly SyntaxNode[] => {
  const value = node[field];
  return Array.isArray(value) ? value.filter(isNode) : [];
};

export const nodeIn = (node: SyntaxNode | undefined, field: string): SyntaxNode | undefined => {
  const value = node?.[field];
  return isNode(value) ? value : undefined;
};

/** Text of an identifier or of a string; undefined for anything else. */
export function nameOf(node: SyntaxNode | undefined): string | undefined {
  const name =
    node?.type === 'Identifier' ? node['name'] : node?.type === 'Literal' ? node['value'] : undefined;
  return typeof name === 'string' ? name : undefined;
}

export const lineOf = (text: string, offset: number): number => text.slice(0, offset).split('\n').length;
