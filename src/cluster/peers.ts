/**
 * Calls between nodes over channels: one link to each node that is talked to, opened when first needed, kept, and
 * opened anew when it broke. Many calls are on their way at once; the other node starts them in the order in which
 * they were made, and answers each when it is done.
 *
 * This is the port; peer-links.ts implements it over a Transport.
 */
export interface Peers {
  /**
   * Asks the node at `address` to do something. `reply` is called exactly once, never before `call` returns, and
   * must not throw.
   *
   * - { answer }: it was done, or refused, there.
   * - { failure: 'not-sent' }: nothing reached the other node, and nothing will: it may be tried elsewhere.
   * - { failure: 'no-answer' }: the link broke, or `limitMs` passed: it may have been done, or be done later.
   */
  call(
    address: string,
    method: string,
    body: unknown,
    limitMs: number,
    reply: (result: PeerResult) => void,
  ): void;

  /** Whether a link to the node is open and has been heard of within the last `withinMs`. */
  isHeardOf(address: string, withinMs: number): boolean;

  /**
   * A stream of messages from the node at `address`: `onMessage` for each, in order with the answers of calls on
   * the same link; `onEnd` once, when it was refused, the link broke, or was silent for too long.
   */
  subscribe(address: string, method: string, body: unknown, events: SubscriptionEvents): Subscription;
}

export type PeerResult = { readonly answer: unknown } | { readonly failure: PeerFailure };
export type PeerFailure = 'not-sent' | 'no-answer';

export interface SubscriptionEvents {
  onMessage(message: unknown): void;
  onEnd(): void;
}

export interface Subscription {
  /** No message comes after it; onEnd is not called. */
  end(): void;
}

/** What a node does for others: given to the listening side. */
export interface PeerService {
  /**
   * `reply` exactly once, maybe before it returns. Throws nothing. A call that comes twice on one link is started
   * once: the listening side sees to that.
   */
  serve(method: string, body: unknown, from: CallOrigin, reply: (answer: unknown) => void): void;

  /** Sends messages with `send` until the returned function is called. Undefined: refused. */
  stream(method: string, body: unknown, send: (message: object) => void): (() => void) | undefined;
}

export interface CallOrigin {
  /** What the other node says it is; it has proved that it knows the cluster's secret. */
  readonly instanceId: string;
}
