import { type IdempotencyKey, idempotencyKey } from '../../actors/allocator/ids.ts';
import { invalidRequest, type Problem } from '../answer/problem.ts';

/** The key of a request; undefined when it has none. Node joins repeated headers with a comma and a space. */
export function readIdempotencyKey(
  header: string | string[] | undefined,
): IdempotencyKey | undefined | Problem {
  if (header === undefined) return undefined;
  const key = typeof header === 'string' ? idempotencyKey(header) : undefined;
  if (key !== undefined) return key;
  return invalidRequest([
    { path: 'Idempotency-Key', message: 'must have 1 to 255 visible ASCII characters' },
  ]);
}
