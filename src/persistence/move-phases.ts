import type { MovePhase, MoveRecord } from '../actors/runtime/cluster-records.ts';

/** From which phases a move comes to each. */
export const leadsTo: Record<Exclude<MovePhase, 'planned'>, readonly MovePhase[]> = {
  running: ['planned'],
  done: ['running'],
  failed: ['planned', 'running'],
};

const isOpenPhase = (phase: MovePhase): boolean => phase === 'planned' || phase === 'running';

export const isOpenMove = ({ phase }: MoveRecord): boolean => isOpenPhase(phase);

/** 0 while it is open. */
export const endedAtOf = (phase: MovePhase, atMs: number): number => (isOpenPhase(phase) ? 0 : atMs);

/** Why a move failed may have somebody's whole error in it. */
export const shortened = (detail: string): string => detail.slice(0, detailCharactersMax);

const detailCharactersMax = 1_000;
