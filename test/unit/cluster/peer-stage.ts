import type { LinkLimits } from '../../../src/cluster/link-limits.ts';
import { PeerEndpoint } from '../../../src/cluster/peer-endpoint.ts';
import { PeerLinks } from '../../../src/cluster/peer-links.ts';
import type { PeerResult, Subscription } from '../../../src/cluster/peers.ts';
import { type Channel, type ChannelEvents, PeerUnreachable } from '../../../src/cluster/transport.ts';
import { ManualClock } from '../actors/runtime/manual-clock.ts';
import { ChannelPair } from './channel-pair.ts';

interface ServedCall {
  readonly method: string;
  readonly body: unknown;
  readonly instanceId: string;
  readonly reply: (answer: unknown) => void;
}

interface ServedStream {
  readonly method: string;
  readonly body: unknown;
  readonly send: (message: object) => void;
  stops: number;
}

export interface StagedSubscription extends Subscription {
  readonly messages: unknown[];
  readonly ends: number;
}

/** A node's links to one other node, and that node's service, on a manual clock. */
export class PeerStage {
  readonly clock = new ManualClock();
  readonly links: PeerLinks;
  readonly endpoint: PeerEndpoint;
  readonly notices: string[] = [];
  /** One for each channel that was opened. */
  readonly pairs: ChannelPair[] = [];
  /** Openings that wait, while `isOpeningHeld`. */
  readonly openings: (() => void)[] = [];
  isOpeningHeld = false;
  /** How often a channel was to be opened. */
  attempts = 0;
  /** Channels can't be opened now. */
  unreachable: string | undefined;
  readonly served: ServedCall[] = [];
  readonly streams: ServedStream[] = [];
  /** Streams are refused. */
  isRefusing = false;
  /** Replies to calls in the order in which they came: label and result. */
  readonly replies: (readonly [label: string, result: PeerResult])[] = [];

  constructor(limits: Partial<LinkLimits> = {}) {
    this.endpoint = new PeerEndpoint({
      clock: this.clock,
      limits,
      service: {
        serve: (method, body, { instanceId }, reply) => this.served.push({ method, body, instanceId, reply }),
        stream: (method, body, send) => {
          if (this.isRefusing) return undefined;
          const stream: ServedStream = { method, body, send, stops: 0 };
          this.streams.push(stream);
          return () => {
            stream.stops += 1;
          };
        },
      },
    });
    this.links = new PeerLinks({
      clock: this.clock,
      limits,
      random: () => 0.5,
      onNotice: ({ message }) => this.notices.push(message),
      transport: { open: (_address, events) => this.#open(events) },
    });
  }

  get pair(): ChannelPair {
    return this.pairs.at(-1)!;
  }

  /** What has been replied, one text a call. */
  get told(): readonly string[] {
    return this.replies.map(([label, result]) => {
      return 'failure' in result ? `${label} ${result.failure}` : `${label} ${JSON.stringify(result.answer)}`;
    });
  }

  call(label: string, limitMs = 1_000, then: () => void = () => {}): void {
    this.links.call(address, 'do', { label }, limitMs, (result) => {
      this.replies.push([label, result]);
      then();
    });
  }

  subscribe(): StagedSubscription {
    const told = { messages: [] as unknown[], ends: 0 };
    const subscription = this.links.subscribe(
      address,
      'watch',
      { of: 1 },
      {
        onMessage: (message) => told.messages.push(message),
        onEnd: () => {
          told.ends += 1;
        },
      },
    );
    return Object.assign(told, { end: () => subscription.end() });
  }

  /** Answers the oldest call that waits at the other node. */
  async answer(answer: unknown): Promise<void> {
    this.served.shift()!.reply(answer);
    await this.clock.settle();
  }

  /** From now on, input is read at the last moment: when a timer has run, and before what that has deferred. */
  standStill(): void {
    const { pair, clock } = this;
    const defer = clock.defer.bind(clock);
    pair.isStuck = true;
    clock.defer = (task) => {
      defer(() => {
        pair.unstick();
        pair.isStuck = true;
      });
      defer(task);
    };
  }

  /** A link is open and has carried a call. */
  static async opened(limits: Partial<LinkLimits> = {}): Promise<PeerStage> {
    const stage = new PeerStage(limits);
    stage.call('first');
    await stage.clock.settle();
    await stage.answer('yes');
    stage.replies.length = 0;
    return stage;
  }

  async #open(events: ChannelEvents): Promise<Channel> {
    this.attempts += 1;
    if (this.isOpeningHeld) await new Promise<void>((resolve) => this.openings.push(resolve));
    if (this.unreachable !== undefined) throw new PeerUnreachable(`${address}: ${this.unreachable}`);
    const pair = new ChannelPair(this.clock);
    this.pairs.push(pair);
    pair.opener.events = events;
    pair.server.events = this.endpoint.accept(pair.server);
    return pair.opener;
  }
}

export const address = 'b:1';
