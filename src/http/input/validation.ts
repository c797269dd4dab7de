import type { IncomingMessage } from 'node:http';
import * as v from 'valibot';
import { type FieldError, invalidRequest, type Problem } from '../answer/problem.ts';

/** Faults that one answer lists. */
const errorsMax = 50;
const keyLengthMax = 64;

type Validated<Schema extends v.GenericSchema> =
  | { readonly ok: true; readonly value: v.InferOutput<Schema> }
  | { readonly ok: false; readonly problem: Problem };

/** The value as the schema reads it, or every fault in it. */
export function validate<const Schema extends v.GenericSchema>(
  schema: Schema,
  input: unknown,
): Validated<Schema> {
  // To valibot a list is an object without the fields.
  if (Array.isArray(input) && schema.type === 'strict_object') return { ok: false, problem: notAnObject };
  const result = v.safeParse(schema, input);
  if (result.success) return { ok: true, value: result.output };
  return { ok: false, problem: invalidRequest(result.issues.slice(0, errorsMax).map(toFieldError)) };
}

const notAnObject = invalidRequest([{ path: '', message: 'must be an object' }]);

const toFieldError = (issue: v.BaseIssue<unknown>): FieldError => ({
  path: pathOf(issue.path ?? []),
  message: messageOf(issue),
});

function pathOf(items: readonly { readonly key?: unknown }[]): string {
  let path = '';
  for (const { key } of items) {
    if (typeof key === 'number') path += `[${key}]`;
    else path += `${path === '' ? '' : '.'}${String(key).slice(0, keyLengthMax)}`;
  }
  return path;
}

/** Object schemas say three things with one type; the others carry their own words (field-schemas.ts). */
function messageOf(issue: v.BaseIssue<unknown>): string {
  if (issue.type !== 'strict_object') return issue.message;
  if (issue.expected === 'never') return 'is not a known field';
  return issue.expected === 'Object' ? 'must be an object' : 'is missing';
}

/** Without its question mark; empty when there is none. */
export function queryOf(incoming: IncomingMessage): string {
  const { url = '' } = incoming;
  const mark = url.indexOf('?');
  return mark === -1 ? '' : url.slice(mark + 1);
}

/** A strict schema's input: query strings know no repeated names. */
type QueryInput =
  | { readonly ok: true; readonly input: object }
  | { readonly ok: false; readonly problem: Problem };

/** @param query without its question mark. */
export function readQuery(query: string): QueryInput {
  const input: Record<string, string> = Object.create(null);
  const repeated = new Set<string>();
  for (const [name, value] of new URLSearchParams(query)) {
    if (name in input) repeated.add(name);
    input[name] = value;
  }
  if (repeated.size === 0) return { ok: true, input };
  const errors = Array.from(repeated, (name) => ({
    path: name.slice(0, keyLengthMax),
    message: 'is given more than once',
  }));
  return { ok: false, problem: invalidRequest(errors.slice(0, errorsMax)) };
}
