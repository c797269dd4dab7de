/** Bounds and periods of the links between nodes, at both of their ends. */
export interface LinkLimits {
  /** Waiting for a link to open, or for an answer: more are `not-sent`. */
  readonly callsMax: number;
  /** Where so much waits for the network already, calls are `not-sent`. */
  readonly queuedBytesMax: number;
  /** Of one link, at each end; more are refused. */
  readonly streamsMax: number;
  /** Where so much waits for the network, a stream is ended rather than queued further. */
  readonly streamQueuedBytesMax: number;
  readonly pingEveryMs: number;
  /** A link that is silent for so long, though it is pinged, is given up. */
  readonly silenceMaxMs: number;
  /** The same at the serving end, which asks nothing and only hears the pings. */
  readonly servedSilenceMaxMs: number;
  /** A link that nobody uses for so long is closed. */
  readonly idleMaxMs: number;
}

export const linkLimits: LinkLimits = {
  callsMax: 20_000,
  queuedBytesMax: 32 * 1024 * 1024,
  streamsMax: 10_000,
  streamQueuedBytesMax: 4 * 1024 * 1024,
  pingEveryMs: 500,
  silenceMaxMs: 1_500,
  servedSilenceMaxMs: 5_000,
  idleMaxMs: 60_000,
};
