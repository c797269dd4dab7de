/** Bounds of one connection between two nodes. */
export interface ChannelLimits {
  /** From connecting to the end of the other node's hello. */
  readonly greetingMaxMs: number;
  /** One that is greater ends the channel, at either end. */
  readonly frameBytesMax: number;
  /** What waits for the network: more ends the channel. */
  readonly queuedBytesMax: number;
  /** A peer that takes nothing of what it is sent for so long is cut off. */
  readonly socketTimeoutMs: number;
  /** After `close`, what was sent before may take so long to go out. */
  readonly lingerMs: number;
}

export const channelLimits: ChannelLimits = {
  greetingMaxMs: 3_000,
  frameBytesMax: 16 * 1024 * 1024,
  queuedBytesMax: 64 * 1024 * 1024,
  socketTimeoutMs: 5_000,
  lingerMs: 1_000,
};
