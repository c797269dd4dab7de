/**
 * The journal asked for something that cannot be: a gap in seq (I6), a seat that is taken already (I1), a
 * reservation that does not exist. A bug on the deciding side; projecting that schedule any further would
 * only spread it.
 */
export class ProjectionGuardTripped extends Error {
  override name = 'ProjectionGuardTripped';
}

export function guard(condition: boolean, message: string): asserts condition {
  if (!condition) throw new ProjectionGuardTripped(message);
}
