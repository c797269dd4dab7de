/**
 * Connections between nodes, as the rest of the cluster sees them: messages are plain JSON values, arrive in the
 * order in which they were sent, each at most once, until the channel breaks; what was on its way is lost then. The
 * adapter authenticates both ends and agrees on a version before it hands a channel out.
 */
export interface Transport {
  /** Rejects with PeerUnreachable, within the adapter's time limit. */
  open(address: string, events: ChannelEvents): Promise<Channel>;
}

/** The listening side: called for each channel that another node has opened. */
export type AcceptChannel = (channel: Channel) => ChannelEvents;

export interface Channel {
  /** Of the other end: what its version of the wire format is; the lower one of both is spoken. */
  readonly wireVersion: number;
  /** Of the other end, as it says; it has proved that it knows the cluster's secret. */
  readonly peerInstanceId: string;
  /** Queues it for the end of this turn, with what else is sent in it. Never throws; dropped when broken. */
  send(message: object): void;
  /** Bytes that wait for the network to take them: past a bound, whoever can should not send. */
  readonly queuedBytes: number;
  /** Ends it from this side; `onClose` follows. */
  close(): void;
}

/** Called by the adapter, one after another. Must not throw. */
export interface ChannelEvents {
  onMessage(message: unknown): void;
  /** Once. Nothing comes after it. */
  onClose(reason: string): void;
}

export class PeerUnreachable extends Error {
  override name = 'PeerUnreachable';
}
