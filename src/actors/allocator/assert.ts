/** A broken invariant: a bug in Usher, never a user's mistake. Refusals are values (rejection.ts). */
class InvariantViolation extends Error {
  override name = 'InvariantViolation';
}

export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new InvariantViolation(message);
}
