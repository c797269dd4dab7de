import type { Problem, ProblemCode } from './problem.ts';
import type { HttpReply } from './reply.ts';

interface ProblemKind {
  readonly status: number;
  readonly title: string;
  /** On 409, 429 and 503: whether the same request, sent again, may succeed. */
  readonly retryable?: boolean;
}

/** The one map from what went wrong to how HTTP says it. /docs and the OpenAPI file show it. */
export const problemKinds = {
  'invalid-request': { status: 400, title: 'The request is not valid' },
  'malformed-json': { status: 400, title: 'The body is not acceptable JSON' },
  unauthenticated: { status: 401, title: 'A valid access token or credential is needed' },
  'insufficient-points': { status: 402, title: 'The account has too few points' },
  'payment-declined': { status: 402, title: 'The payment was declined' },
  forbidden: { status: 403, title: 'The token does not allow this' },
  'not-found': { status: 404, title: 'There is no such thing, or it is somebody else’s' },
  'method-not-allowed': { status: 405, title: 'This path does not know the method' },
  'not-acceptable': { status: 406, title: 'No representation fits the Accept header' },
  'request-timeout': { status: 408, title: 'The request came too slowly' },
  'seats-taken': { status: 409, title: 'Some of the seats are taken', retryable: false },
  'not-enough-adjacent-seats': { status: 409, title: 'Not enough seats together', retryable: false },
  'orphan-seat': { status: 409, title: 'The selection would strand a single seat', retryable: false },
  'seat-limit-exceeded': { status: 409, title: 'More seats than one user may have', retryable: false },
  'not-on-sale': { status: 409, title: 'The sale has not begun', retryable: false },
  'sold-out': { status: 409, title: 'Nothing that fits is left', retryable: false },
  'already-paid': { status: 409, title: 'The reservation is paid', retryable: false },
  'already-cancelled': { status: 409, title: 'The reservation is cancelled', retryable: false },
  'payment-in-progress': { status: 409, title: 'A payment is under way', retryable: true },
  'request-in-progress': { status: 409, title: 'The first request is still under way', retryable: true },
  'not-a-cluster': { status: 409, title: 'The node is on its own', retryable: false },
  'not-possible': { status: 409, title: 'The cluster can’t do this as it stands', retryable: false },
  'hold-expired': { status: 410, title: 'The hold has ended' },
  'body-too-large': { status: 413, title: 'The body is too large' },
  'unsupported-media-type': { status: 415, title: 'The body must be application/json' },
  'unknown-seats': { status: 422, title: 'The venue has no such seats' },
  'duplicate-seats': { status: 422, title: 'A seat is named twice' },
  'idempotency-key-reused': { status: 422, title: 'The key was used for another request' },
  'hold-limit-reached': { status: 422, title: 'The hold has had all of its time' },
  'rate-limited': { status: 429, title: 'Too many requests', retryable: true },
  'headers-too-large': { status: 431, title: 'The headers are too large' },
  'internal-error': { status: 500, title: 'Something broke on our side' },
  overloaded: { status: 503, title: 'Too much is waiting already', retryable: true },
  'store-unavailable': { status: 503, title: 'The store can’t be reached', retryable: true },
  'shard-moving': { status: 503, title: 'The schedule is changing its owner', retryable: true },
  'not-ready': { status: 503, title: 'Not ready to serve', retryable: true },
  'registry-unavailable': { status: 503, title: 'The cluster’s registry can’t be reached', retryable: true },
  'gateway-unavailable': { status: 503, title: 'The card gateway can’t be reached', retryable: true },
} as const satisfies Record<ProblemCode, ProblemKind>;

export const problemCodes = Object.keys(problemKinds) as readonly ProblemCode[];

/** Not a link: the same on every port, behind every proxy. */
export const problemType = (code: ProblemCode): string => `urn:usher:problem:${code}`;

/** RFC 9457. */
export function errorResponse(problem: Problem, requestId: string): HttpReply {
  const { status, title, retryable }: ProblemKind = problemKinds[problem.code];
  const body = JSON.stringify({
    type: problemType(problem.code),
    title,
    status,
    detail: problem.detail,
    code: problem.code,
    requestId,
    ...(retryable === undefined ? undefined : { retryable }),
    ...problem.members,
  });
  return { status, headers: ['Content-Type', 'application/problem+json', ...problem.headers], body };
}
