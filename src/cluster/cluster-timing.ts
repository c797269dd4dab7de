/** Every period and limit of the cluster, in ms; the defaults are for real networks. */
export interface ClusterTiming {
  readonly beatEveryMs: number;
  /** Without a beat for so long, a node counts as dead: its shards are claimed. */
  readonly leaseMs: number;
  /** How often a node asks the store which shards are its own. */
  readonly confirmEveryMs: number;
  /**
   * So long after the store was asked a node answers from memory alone, and so long a taker stays silent after it
   * has taken a shard: then nobody answers for it any more who had it before.
   */
  readonly trustMs: number;
  /** A request waits so long for a shard to have an owner who answers; then 503. */
  readonly parkMaxMs: number;
  /**
   * For a call to another node: as long as its store may take. A node that is silent is given up much sooner
   * (link-limits.ts). A payment may take its own time on top.
   */
  readonly callMaxMs: number;
  /** A giver waits so long for the taker's word before it takes the shard back. */
  readonly ackMaxMs: number;
  /** A node that stops answers for so long after it has begun to say that it is not ready. */
  readonly lameDuckMs: number;
  /** Shards that nobody has ever had are given out when no node has joined for so long. */
  readonly settleMs: number;
}

export const clusterTiming: ClusterTiming = {
  beatEveryMs: 500,
  leaseMs: 3_000,
  confirmEveryMs: 300,
  trustMs: 1_000,
  parkMaxMs: 2_000,
  callMaxMs: 15_000,
  ackMaxMs: 2_000,
  lameDuckMs: 2_500,
  settleMs: 2_000,
};
