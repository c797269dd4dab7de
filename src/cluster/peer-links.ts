import type { Clock } from '../actors/runtime/ports.ts';
import { BackOff } from './back-off.ts';
import { type LinkLimits, linkLimits } from './link-limits.ts';
import { PeerLink } from './peer-link.ts';
import { type PeerNotice, PeerNotices } from './peer-notices.ts';
import type { PeerResult, Peers, Subscription, SubscriptionEvents } from './peers.ts';
import type { Transport } from './transport.ts';

/**
 * The links of this node to others, over any Transport. A link is opened by the first call that needs it, which
 * waits for that; when it can't be opened, calls are `not-sent` at once for a while (back-off.ts).
 */
export class PeerLinks implements Peers {
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #limits: LinkLimits;
  readonly #notices: PeerNotices;
  readonly #backOff: BackOff;
  /** By address: opening or open. */
  readonly #links = new Map<string, PeerLink>();
  /** Those whose other end is about to stop: no longer among `#links`. */
  readonly #leaving = new Set<PeerLink>();
  #isClosed = false;

  constructor(options: PeerLinksOptions) {
    this.#transport = options.transport;
    this.#clock = options.clock;
    this.#limits = { ...linkLimits, ...options.limits };
    this.#notices = new PeerNotices(options.clock, options.onNotice);
    this.#backOff = new BackOff(options.clock, options.random ?? Math.random);
  }

  call(
    address: string,
    method: string,
    body: unknown,
    limitMs: number,
    reply: (result: PeerResult) => void,
  ): void {
    if (this.#linkTo(address)?.call(method, body, limitMs, reply)) return;
    this.#clock.defer(() => reply({ failure: 'not-sent' }));
  }

  isHeardOf(address: string, withinMs: number): boolean {
    return this.#links.get(address)?.isHeardOf(withinMs) ?? false;
  }

  subscribe(address: string, method: string, body: unknown, events: SubscriptionEvents): Subscription {
    const subscription = this.#linkTo(address)?.subscribe(method, body, events);
    if (subscription !== undefined) return subscription;
    let isOver = false;
    this.#clock.defer(() => {
      if (!isOver) events.onEnd();
    });
    return {
      end: () => {
        isOver = true;
      },
    };
  }

  /** Ends all links, and replies to all calls. What comes later is `not-sent`. */
  close(): void {
    this.#isClosed = true;
    for (const link of [...this.#links.values(), ...this.#leaving]) link.end();
  }

  /** Undefined: there can be none now. */
  #linkTo(address: string): PeerLink | undefined {
    const known = this.#links.get(address);
    if (known !== undefined || this.#isClosed || this.#backOff.isPausing(address)) return known;
    const link: PeerLink = new PeerLink(this.#clock, this.#limits, {
      onOpen: () => this.#backOff.onSuccess(address),
      onLeaving: () => {
        this.#forget(address, link);
        this.#leaving.add(link);
        this.#backOff.onFailure(address);
      },
      onOver: (reason, wasOpen) => {
        this.#forget(address, link);
        this.#leaving.delete(link);
        if (reason !== undefined) this.#onFault(address, reason, wasOpen);
      },
    });
    this.#links.set(address, link);
    void link.open(this.#transport.open(address, link));
    return link;
  }

  #forget(address: string, link: PeerLink): void {
    if (this.#links.get(address) === link) this.#links.delete(address);
  }

  #onFault(address: string, reason: string, wasOpen: boolean): void {
    if (wasOpen)
      return this.#notices.warn(`The link to the node at ${address} has broken: ${reason}`, address);
    this.#backOff.onFailure(address);
    this.#notices.warn(`A node can’t be reached: ${reason}`, address);
  }
}

interface PeerLinksOptions {
  readonly transport: Transport;
  readonly clock: Clock;
  /** A node can't be reached, or a link has broken: each once a minute. */
  readonly onNotice: (notice: PeerNotice) => void;
  readonly limits?: Partial<LinkLimits>;
  /** From 0 to below 1. Default Math.random. */
  readonly random?: () => number;
}
