import type { Invariant } from './violation.ts';

/** What a worker is asked for: every `stride`th seed from `firstSeed` on, below `endSeed`. */
export interface WorkOrder {
  readonly firstSeed: number;
  readonly endSeed: number;
  readonly stride: number;
  readonly operationCount: number;
  /** Stop at the first seed that breaks this; without it, at the third that breaks anything. */
  readonly until?: Invariant;
  /** Time for shrinking each failing script; 0 = it is left as it is. */
  readonly shrinkMs: number;
}

export interface WorkReport {
  readonly seedsRun: number;
  readonly counts: Record<string, number>;
  readonly failures: readonly Failure[];
}

export interface Failure {
  readonly seed: number;
  /** Every invariant that the seed breaks; the first is the one that the script was shrunk for. */
  readonly invariants: readonly Invariant[];
  /** Operations that are left after shrinking. */
  readonly operationCount: number;
  /** Without any single one of them it does not fail. */
  readonly isMinimal: boolean;
  /** For people: what broke, the trace, how to see it again. */
  readonly report: string;
}
