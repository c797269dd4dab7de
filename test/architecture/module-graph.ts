import { posix } from 'node:path';
import { linksOf, type ModuleLink } from './module-links.ts';
import type { SourceFile } from './source-files.ts';

/** A link of which the target is known: a file of the project by its path, or a package by its name. */
export interface Edge extends ModuleLink {
  readonly from: string;
  readonly specifier: string;
  /** Path of the file; undefined for a package or a module of Node. */
  readonly to: string | undefined;
}

/** Who names whom, over all files of the project. */
export class ModuleGraph {
  readonly edges: readonly Edge[];
  readonly exportsOf: ReadonlyMap<string, readonly string[]>;
  /** Links that can't be followed: the target is not written as text, or is not there. */
  readonly faults: readonly string[];

  constructor(sources: readonly SourceFile[]) {
    const paths = new Set(sources.map(({ path }) => path));
    const edges: Edge[] = [];
    const faults: string[] = [];
    const exportsOf = new Map<string, readonly string[]>();
    for (const source of sources) {
      const { links, exports } = linksOf(source);
      exportsOf.set(source.path, exports);
      for (const link of links) {
        const edge = toEdge(source.path, link);
        if (edge === undefined) faults.push(`${source.path} imports what is not written as a plain string`);
        else if (edge.to !== undefined && !paths.has(edge.to))
          faults.push(`${source.path} imports ${edge.to}: no such file`);
        else edges.push(edge);
      }
    }
    this.edges = edges;
    this.exportsOf = exportsOf;
    this.faults = faults;
  }

  /** Files that import each other in a ring, each ring once, as `a → b → a`. */
  cycles(): readonly string[] {
    const targets = new Map<string, string[]>();
    for (const { from, to } of this.edges) {
      if (to !== undefined) targets.set(from, [...(targets.get(from) ?? []), to]);
    }
    const found: string[] = [];
    const done = new Set<string>();
    const visit = (path: string, trail: readonly string[]): void => {
      const start = trail.indexOf(path);
      if (start !== -1) found.push([...trail.slice(start), path].join(' → '));
      if (start !== -1 || done.has(path)) return;
      for (const target of targets.get(path) ?? []) visit(target, [...trail, path]);
      done.add(path);
    };
    for (const path of targets.keys()) visit(path, []);
    return found;
  }
}

function toEdge(from: string, link: ModuleLink): Edge | undefined {
  const { specifier } = link;
  if (specifier === undefined) return undefined;
  const isRelative = specifier.startsWith('./') || specifier.startsWith('../');
  const to = isRelative ? posix.join(posix.dirname(from), specifier) : undefined;
  return { ...link, from, specifier, to };
}
