import type { ClusterAction } from './cluster/cluster-action.ts';
import type { CommitFate, GatewayFate } from './fates.ts';

/**
 * One entry of a run's script. A script is data, made from the seed before anything runs, so that the
 * shrinker can take entries out: each carries the seed of what the scheduler chooses behind it, and names
 * other entries by their id, which stays when others go.
 */
export interface Operation {
  readonly id: number;
  readonly action: Action;
  /** Turns of the scheduler after the action; 0 = the next action comes in the same breath. */
  readonly turns: number;
  readonly salt: number;
  /** Which of several nodes a client asks, or an operator; another number, maybe another node. */
  readonly node?: number;
}

export type Action = ClientAction | WorldAction | ClusterAction;

/** `schedule` and `user` are indexes into the world; seats are ordinals, or seat ids that do not exist. */
export type ClientAction =
  | {
      readonly kind: 'hold';
      readonly schedule: number;
      readonly user: number;
      readonly seats: readonly (number | string)[];
      readonly key?: string;
    }
  | {
      readonly kind: 'hold-best';
      readonly schedule: number;
      readonly user: number;
      readonly quantity: number;
      readonly category?: string;
      readonly section?: string;
      readonly adjacent: boolean;
      readonly key?: string;
    }
  /** `hold`: the operation that made the reservation. */
  | {
      readonly kind: 'extend';
      readonly schedule: number;
      readonly user: number;
      readonly hold: number;
      readonly key?: string;
    }
  | {
      readonly kind: 'pay';
      readonly schedule: number;
      readonly user: number;
      readonly hold: number;
      /** By points when there is no card. */
      readonly card?: 'approves' | 'declines';
      readonly key?: string;
    }
  /** Sent so many times under its key. */
  | {
      readonly kind: 'charge';
      readonly user: number;
      readonly amount: number;
      readonly key: string;
      readonly times: number;
    }
  | { readonly kind: 'cancel'; readonly schedule: number; readonly user: number; readonly hold: number }
  | { readonly kind: 'read'; readonly schedule: number; readonly user: number; readonly hold: number }
  | { readonly kind: 'availability'; readonly schedule: number }
  | { readonly kind: 'count'; readonly schedule: number }
  | { readonly kind: 'audit'; readonly schedule: number }
  | { readonly kind: 'block' | 'unblock'; readonly schedule: number; readonly seats: readonly number[] }
  /** Sends what an earlier operation sent, word for word or with another body under the same key. */
  | { readonly kind: 'retry'; readonly request: number; readonly otherBody: boolean };

export type WorldAction =
  | { readonly kind: 'pass'; readonly durationMs: number }
  /** Time passes until the next open hold is due, and `offsetMs` more or less. */
  | { readonly kind: 'pass-to-expiry'; readonly offsetMs: number }
  | { readonly kind: 'clock-jump'; readonly byMs: number }
  | { readonly kind: 'store-fails'; readonly call: FailingCall; readonly count: number }
  | {
      readonly kind: 'lose-answer';
      readonly fate: CommitFate;
      readonly delayTurns: number;
      readonly resolveFailures: number;
    }
  /** A worker thread of the ledger dies over its next batch. */
  | { readonly kind: 'worker-dies'; readonly fate: CommitFate; readonly delayTurns: number }
  | {
      readonly kind: 'gateway-fails';
      readonly fate: GatewayFate;
      readonly count: number;
      readonly delayTurns: number;
    }
  | { readonly kind: 'gateway-rests'; readonly count: number }
  /** kill -9, and a new process at once. */
  | { readonly kind: 'crash'; readonly fate: CommitFate; readonly delayTurns: number }
  /** The process hangs, a new one starts, and then the first goes on, out of the clients' sight. */
  | { readonly kind: 'freeze' }
  /** SIGTERM, and a new process when it is done. */
  | { readonly kind: 'stop' }
  /** Another owner takes a shard and, perhaps, sells a seat. */
  | { readonly kind: 'intrude'; readonly shard: number; readonly sells: boolean }
  /** The projections catch up by so many events. */
  | { readonly kind: 'project'; readonly eventCount: number };

export type FailingCall = 'any' | 'commit' | 'resolve' | 'claim' | 'load';
