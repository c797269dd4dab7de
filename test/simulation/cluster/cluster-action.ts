import type { CommitFate } from '../fates.ts';

/** Where a node runs: 1, 2, 3 … Its name, and its address, are the same for all processes that run there. */
export type Place = number;

/** A place, or the one whose node owns a schedule (an index into the world) when it comes to that. */
export type Target = Place | { readonly ownerOf: number };

/** What is done in a world with several nodes, by operators and by fate. */
export type ClusterAction =
  | OperatorRequest
  | ClusterFault
  /** Time passes until the schedule's shard has another owner, by the store. */
  | { readonly kind: 'pass-to-handover'; readonly schedule: number; readonly atMostMs: number };

/** Asked of the node that the operation names. None of it is a fault: nobody may notice it. */
export type OperatorRequest =
  | { readonly kind: 'join'; readonly places: readonly Place[] }
  /** The process gives its shards away, leaves, and ends. */
  | { readonly kind: 'sigterm'; readonly place: Place }
  | { readonly kind: 'move'; readonly shard: number; readonly place: Place }
  | { readonly kind: 'drain'; readonly place: Place }
  | { readonly kind: 'rebalance' };

export type ClusterFault =
  /** kill -9, or, where it is silent, the machine: nobody is told that its connections are gone. */
  | {
      readonly kind: 'kill';
      readonly place: Target;
      readonly fate: CommitFate;
      readonly delayTurns: number;
      readonly isSilent: boolean;
    }
  /** The process stands still; what comes for it piles up. `go-on` ends it. */
  | { readonly kind: 'hang'; readonly place: Target }
  /** As hang; and somebody starts a new process at its place, and the first goes on beside it. */
  | { readonly kind: 'hang-and-replace'; readonly place: Place }
  | { readonly kind: 'go-on' }
  /** Nobody runs for a while, and then everything that has become due at once. */
  | { readonly kind: 'standstill'; readonly durationMs: number }
  /** What goes from one place to the other waits, and is lost where the link is given up meanwhile. */
  | { readonly kind: 'cut-network'; readonly from: Place; readonly to: Place; readonly isOneWay: boolean }
  | { readonly kind: 'cut-store' | 'cut-registry'; readonly place: Place }
  /** The store is all that the node reaches; `storeDelayMs`: and its answers take so long. */
  | { readonly kind: 'isolate'; readonly place: Target; readonly storeDelayMs: number }
  /** Every cut is mended. */
  | { readonly kind: 'mend' }
  /** Links between the two break, with what is on its way. */
  | { readonly kind: 'break-links'; readonly one: Place; readonly other: Place }
  /** So many calls and answers arrive twice. */
  | { readonly kind: 'duplicate'; readonly count: number }
  /** Messages take up to so long, from now on. */
  | { readonly kind: 'slow-network'; readonly delayMaxMs: number }
  | { readonly kind: 'registry-down'; readonly isDown: boolean }
  | { readonly kind: 'registry-late'; readonly count: number; readonly delayMs: number }
  /** It does what it is asked, and nobody hears its answer. */
  | { readonly kind: 'registry-unheard'; readonly count: number }
  | { readonly kind: 'registry-forgets'; readonly what: 'nodes' | 'shards' | 'everything' }
  /** It says that somebody owns a shard, under an epoch that nobody has minted. */
  | { readonly kind: 'registry-lies'; readonly shard: number; readonly place: Place; readonly ahead: number }
  /** So many answers of the store to one node take so long. */
  | { readonly kind: 'store-late'; readonly place: Place; readonly count: number; readonly delayMs: number }
  /** The answer to a transfer of shards is lost. */
  | { readonly kind: 'lose-transfer'; readonly fate: CommitFate; readonly delayTurns: number }
  /** The wall clock of a node is off by so much from now on. */
  | { readonly kind: 'skew'; readonly place: Place; readonly byMs: number };
