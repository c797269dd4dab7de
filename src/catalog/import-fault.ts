import { type BaseIssue, type GenericSchema, type InferOutput, safeParse } from 'valibot';

/** Why a plan was refused: where, and what is wrong there. */
export interface Fault {
  /** As in `zones[0].rows[3].seats[7].seat_guid`; empty for the document as a whole. */
  readonly path: string;
  /** Reads as a sentence after the path: "must be text". */
  readonly message: string;
}

export const faultsListedMax = 50;
const keyLengthMax = 64;

/** Lists the first faults of an import and counts all of them. */
export class FaultList {
  readonly #listed: Fault[] = [];
  #total = 0;

  get listed(): readonly Fault[] {
    return this.#listed;
  }

  get total(): number {
    return this.#total;
  }

  add(path: string, message: string): void {
    this.#total += 1;
    if (this.#listed.length < faultsListedMax) this.#listed.push({ path, message });
  }

  /** For what holds for the document as a whole: many small faults must not push it off the list. */
  addFirst(path: string, message: string): void {
    this.#total += 1;
    this.#listed.unshift({ path, message });
    this.#listed.length = Math.min(this.#listed.length, faultsListedMax);
  }

  /** The value as the schema reads it; undefined when it does not, and then its faults are here. */
  read<const Schema extends GenericSchema>(
    schema: Schema,
    input: unknown,
    path: string,
  ): InferOutput<Schema> | undefined {
    const result = safeParse(schema, input);
    if (result.success) return result.output;
    for (const issue of result.issues) this.add(joinPath(path, issue.path ?? []), messageOf(issue));
    return undefined;
  }
}

function joinPath(start: string, items: readonly { readonly key: unknown }[]): string {
  let path = start;
  for (const { key } of items) {
    if (typeof key === 'number') path += `[${key}]`;
    else path += `${path === '' ? '' : '.'}${String(key).slice(0, keyLengthMax)}`;
  }
  return path;
}

/** Object schemas say three things with one type; the rest carry their own words. */
function messageOf(issue: BaseIssue<unknown>): string {
  if (issue.type !== 'object' && issue.type !== 'strict_object') return issue.message;
  if (issue.expected === 'Object') return 'must be an object';
  return issue.expected === 'never' ? 'is not a known field' : 'is missing';
}
