import type { RejectionCode } from '../../actors/allocator/rejection.ts';
import type { UnavailableCode } from '../../actors/runtime/outcome.ts';

/** Codes that arise before a request reaches the allocator, or outside of it. */
type EdgeCode =
  | 'malformed-json'
  | 'unauthenticated'
  | 'forbidden'
  | 'method-not-allowed'
  | 'not-acceptable'
  | 'request-timeout'
  | 'request-in-progress'
  | 'not-a-cluster'
  | 'not-possible'
  | 'registry-unavailable'
  | 'body-too-large'
  | 'unsupported-media-type'
  | 'rate-limited'
  | 'headers-too-large'
  | 'internal-error';

/** Stable: clients switch on it. */
export type ProblemCode = RejectionCode | UnavailableCode | EdgeCode;

/** Members of a problem beside the standard ones, as in `conflictingSeatIds`. */
type ProblemMembers = Readonly<Record<string, unknown>>;

export interface FieldError {
  /** As in `bestAvailable.quantity` or `seatIds[2]`; empty for the whole. */
  readonly path: string;
  /** Reads as a sentence after the path: "must be an integer". */
  readonly message: string;
}

/** Why a request is not answered as it wished. A value: handlers return it in place of their result. */
export class Problem {
  readonly code: ProblemCode;
  readonly detail: string;
  readonly members: ProblemMembers;
  readonly headers: readonly string[];

  /** @param headers flat: name, value, name, value … */
  constructor(
    code: ProblemCode,
    detail: string,
    members: ProblemMembers = {},
    headers: readonly string[] = [],
  ) {
    this.code = code;
    this.detail = detail;
    this.members = members;
    this.headers = headers;
  }
}

export function invalidRequest(errors: readonly FieldError[]): Problem {
  const [first] = errors;
  const detail =
    first === undefined ? 'The request is not valid.' : `${first.path || 'the request'} ${first.message}`;
  return new Problem('invalid-request', detail, { errors });
}

/** @param retryAfterSeconds when sending it again is worth while. */
export const unavailable = (
  code: UnavailableCode | 'registry-unavailable',
  detail: string,
  retryAfterSeconds: number,
): Problem => new Problem(code, detail, {}, ['Retry-After', String(retryAfterSeconds)]);
