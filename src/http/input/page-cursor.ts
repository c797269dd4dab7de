import * as v from 'valibot';
import { invalidRequest } from '../answer/problem.ts';

/** Where a page ended, as text that says nothing to its reader: base64url of a JSON array. */
export const writeCursor = (position: readonly number[]): string =>
  Buffer.from(JSON.stringify(position)).toString('base64url');

/** Undefined when it is not one of ours. */
export function readCursor<const Schema extends v.GenericSchema>(
  schema: Schema,
  text: string,
): v.InferOutput<Schema> | undefined {
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.toString('base64url') !== text) return undefined;
  try {
    const cursor = v.safeParse(schema, JSON.parse(bytes.toString('utf8')));
    return cursor.success ? cursor.output : undefined;
  } catch {
    return undefined;
  }
}

export const foreignCursor = invalidRequest([
  { path: 'cursor', message: 'must be the nextCursor of a page before' },
]);
