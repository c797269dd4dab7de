/**
 * What a run can be found guilty of. I1…I13 are the invariants of ARCHITECTURE.md; the others are what a
 * caller and an operator may take for granted besides.
 */
export type Invariant =
  | 'I1'
  | 'I2'
  | 'I3'
  | 'I4'
  | 'I5'
  | 'I6'
  | 'I8'
  | 'I9'
  | 'I10'
  | 'I11'
  | 'I12'
  | 'I13'
  /** What a sale was set up with: prices, limits, the orphan rule, best available. */
  | 'terms'
  /** Each call is answered exactly once, by a node that lives. */
  | 'one-answer'
  /** A request without a key is carried out once at most, and not at all where that was said. */
  | 'at-most-once'
  /** No assertion of the code under test fires, nothing throws where nothing may. */
  | 'no-bug-caught';

export interface Violation {
  readonly invariant: Invariant;
  readonly message: string;
}
