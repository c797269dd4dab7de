import type { Invariant } from '../violation.ts';

/** A mistake that somebody could make, as edits to a copy of the code. */
export interface PlantedBug {
  /** What the code then does. */
  readonly name: string;
  /** How the simulation must catch it. */
  readonly breaks: Invariant;
  /** Where it shows. Default: with one node. */
  readonly world?: 'cluster';
  readonly edits: readonly Edit[];
}

export interface Edit {
  /** From the root of the project. */
  readonly file: string;
  /** Occurs exactly once in the file, or the edit fails: a bug must not wither as the code moves on. */
  readonly find: string;
  readonly replace: string;
}

export const actor = 'src/actors/runtime/actor.ts';
export const awakeSchedule = 'src/actors/runtime/awake-schedule.ts';
export const firstAnswer = 'src/actors/runtime/first-answer.ts';
export const directory = 'src/actors/runtime/directory.ts';
export const ownership = 'src/actors/runtime/ownership.ts';
export const groupCommit = 'src/actors/runtime/group-commit.ts';
export const decide = 'src/actors/allocator/decide.ts';
export const evolve = 'src/actors/allocator/evolve.ts';
export const restore = 'src/actors/allocator/restore.ts';
export const freeSeats = 'src/actors/allocator/free-seats.ts';
export const shardKeeper = 'src/actors/runtime/shard-keeper.ts';
export const coordinator = 'src/cluster/coordinator.ts';
export const shardGiver = 'src/cluster/shard-giver.ts';
export const shardRouter = 'src/cluster/shard-router.ts';
export const shardTaker = 'src/cluster/shard-taker.ts';
export const memoryStore = 'src/persistence/memory/memory-store.ts';
