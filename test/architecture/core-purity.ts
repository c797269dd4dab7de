import type { SourceFile } from './source-files.ts';
import { lineOf, nameOf, nodeIn, parse, type SyntaxNode, walk } from './syntax-tree.ts';

/** The world outside: time, chance, input and output. */
const worldly = new Set([
  'Date',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
  'process',
  'console',
  'fetch',
  'crypto',
  'globalThis',
  'global',
  'require',
]);

/** Where a file reaches for the world outside by a global name: one line each. */
export function worldlyNames(source: SourceFile): readonly string[] {
  const found: string[] = [];
  for (const { node, parent, field } of walk(parse(source))) {
    const used = worldlyMember(node) ?? worldlyName(node, parent, field);
    if (used !== undefined) found.push(`${place(source, node)} uses ${used}`);
  }
  return found;
}

/** Where a file waits: the core is synchronous from end to end. */
export function waits(source: SourceFile): readonly string[] {
  const found: string[] = [];
  for (const { node } of walk(parse(source))) {
    const isWaiting = node['async'] === true || node.type === 'AwaitExpression';
    if (isWaiting || (node.type === 'Identifier' && nameOf(node) === 'Promise')) {
      found.push(`${place(source, node)} is asynchronous`);
    }
  }
  return found;
}

/** `a.process`, `{ process: 1 }` and the like name a member, not the global. */
function worldlyName(node: SyntaxNode, parent: SyntaxNode | undefined, field: string): string | undefined {
  const name = node.type === 'Identifier' ? nameOf(node) : undefined;
  const isMember = (field === 'property' && parent?.type === 'MemberExpression') || field === 'key';
  if (name === undefined || !worldly.has(name)) return undefined;
  return isMember && parent?.['computed'] !== true ? undefined : name;
}

/** A `performance` is a show here; the clock of that name is known by its members. */
const worldlyMembers = new Set(['Math.random', 'performance.now', 'performance.timeOrigin']);

function worldlyMember(node: SyntaxNode): string | undefined {
  if (node.type !== 'MemberExpression') return undefined;
  const member = `${nameOf(nodeIn(node, 'object'))}.${nameOf(nodeIn(node, 'property'))}`;
  return worldlyMembers.has(member) ? member : undefined;
}

const place = ({ path, text }: SourceFile, node: SyntaxNode): string => `${path}:${lineOf(text, node.start)}`;
