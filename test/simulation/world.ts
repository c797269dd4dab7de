import type { ScheduleId, UserId } from '../../src/actors/allocator/ids.ts';
import type { VenueLayout } from '../../src/actors/allocator/venue-layout.ts';
import type { Performance, Schedule } from '../../src/actors/runtime/catalog.ts';
import type { DirectoryLimits } from '../../src/actors/runtime/directory.ts';
import type { ClusterLimits } from '../../src/cluster/cluster-node.ts';
import type { ClusterTiming } from '../../src/cluster/cluster-timing.ts';
import type { Hall } from './model/hall.ts';

/** What does not change during a run: halls, sales, people, limits. A function of the seed. */
export interface World {
  readonly venues: readonly VenueLayout[];
  readonly performances: readonly Performance[];
  readonly sales: readonly Sale[];
  readonly users: readonly UserId[];
  /** What each user has at the start. */
  readonly points: readonly number[];
  readonly shardCount: number;
  readonly limits: DirectoryLimits;
  /** Absent: there is one node at a time, and it has all shards. */
  readonly cluster?: ClusterWorld;
}

export interface ClusterWorld {
  /** Places where a node can run: 1 … placeCount. */
  readonly placeCount: number;
  /** Nodes that are started at the beginning, at the first places. */
  readonly nodeCount: number;
  readonly timing: ClusterTiming;
  readonly limits: ClusterLimits;
}

/** One schedule and the terms under which it is sold. */
export interface Sale {
  readonly scheduleId: ScheduleId;
  readonly schedule: Schedule;
  readonly hall: Hall;
  readonly priceMinorOf: ReadonlyMap<string, number>;
  readonly seatsPerUserMax: number;
  readonly orphanRule: boolean;
  /** 0 = on sale from the start. */
  readonly onSaleAtMs: number;
}

export const startWallMs = 1_800_000_000_000;
export const dayMs = 24 * 60 * 60 * 1000;

export function saleOf(world: World, scheduleId: number): Sale {
  const sale = world.sales[scheduleId - 1];
  if (sale === undefined) throw new RangeError(`no schedule ${scheduleId}`);
  return sale;
}
