import type { SourceFile } from './source-files.ts';
import { lineOf, nameOf, nodeIn, parse, type SyntaxNode, walk } from './syntax-tree.ts';

export const linesMax = 500;

/** Why a path is not well named; one line a fault. */
export function nameFaults(path: string): readonly string[] {
  const faults: string[] = [];
  const parts = path.split('/').filter((part) => part !== 'README.md');
  if (!parts.every((part) => /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+)*$/.test(part))) {
    faults.push(`${path} is not kebab-case`);
  }
  if (/(^|[/-])(utils?|helpers?|common|types|misc)([-./]|$)/.test(path)) {
    faults.push(`${path} is named for no concept`);
  }
  return faults;
}

/** What a file must not contain; one line a fault. */
export function contentFaults(source: SourceFile): readonly string[] {
  const { path, text } = source;
  const faults: string[] = [];
  const lines = text.trimEnd().split('\n').length;
  if (lines > linesMax) faults.push(`${path} has ${lines} lines, and ${linesMax} are the limit`);
  for (const match of text.matchAll(laterMarks))
    faults.push(`${path}:${lineOf(text, match.index)} says ${match[0]}`);
  for (const { node } of walk(parse(source))) {
    const fault = syntaxFault(node, path);
    if (fault !== undefined) faults.push(`${path}:${lineOf(text, node.start)} ${fault}`);
  }
  return faults;
}

/** Written so that this file does not contain them. */
const laterMarks = new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X'].join('|')})\\b`, 'g');

/** Files whose tool asks for a default export. */
const mayExportDefault = (path: string): boolean => path === 'vitest.config.ts' || path.startsWith('k6/');

/** Syntax that Node can't strip: TypeScript that would have to be compiled. */
const compiledSyntax = new Set([
  'TSEnumDeclaration',
  'TSParameterProperty',
  'TSImportEqualsDeclaration',
  'TSExportAssignment',
  'TSNamespaceExportDeclaration',
  'Decorator',
]);

function syntaxFault(node: SyntaxNode, path: string): string | undefined {
  if (node.type === 'ExportDefaultDeclaration' && !mayExportDefault(path)) return 'exports a default';
  if (compiledSyntax.has(node.type)) return `has ${node.type}, which Node can't strip`;
  if (node.type === 'TSModuleDeclaration' && node['declare'] !== true)
    return "has a namespace, which Node can't strip";
  if (node.type === 'TSTypeAssertion') return "has an assertion in angle brackets, which Node can't strip";
  return isHeldBackTest(node) ? 'focuses, skips or postpones a test' : undefined;
}

const testFunctions = new Set(['test', 'it', 'describe', 'suite', 'bench']);
const holdingBack = new Set(['only', 'skip', 'todo', 'skipIf', 'runIf']);

/** `test.skip`, `describe.only`, `test.each(…).only` … */
function isHeldBackTest(node: SyntaxNode): boolean {
  if (node.type !== 'MemberExpression') return false;
  const property = nameOf(nodeIn(node, 'property'));
  if (property === undefined || !holdingBack.has(property)) return false;
  let object = nodeIn(node, 'object');
  while (object?.type === 'MemberExpression' || object?.type === 'CallExpression') {
    object = nodeIn(object, object.type === 'CallExpression' ? 'callee' : 'object');
  }
  const name = nameOf(object);
  return name !== undefined && testFunctions.has(name);
}
