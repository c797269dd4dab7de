import { type IdempotencyKey, idempotencyKey } from '../../actors/allocator/ids.ts';
import { invalidRequest, type Problem } from '../answer/problem.ts';

/** Whether a route can do without a key. */
export type KeyNeed = 'optional' | 'required';

/** The key of a request; undefined when it may have none. Node joins repeated headers with a comma and a space. */
export function readIdempotencyKey(
  header: string | string[] | undefined,
  need: KeyNeed,
): IdempotencyKey | undefined | Problem {
  if (header === undefined) return need === 'optional' ? undefined : refuse('is missing');
  const key = typeof header === 'string' ? idempotencyKey(header) : undefined;
  return key ?? refuse('must have 1 to 255 visible ASCII characters');
}

const refuse = (message: string): Problem => invalidRequest([{ path: 'Idempotency-Key', message }]);
