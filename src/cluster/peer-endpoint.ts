import type { Clock } from '../actors/runtime/ports.ts';
import { type LinkLimits, linkLimits } from './link-limits.ts';
import type { Answer } from './peer-messages.ts';
import type { PeerService } from './peers.ts';
import { ServedChannel } from './served-channel.ts';
import type { AcceptChannel } from './transport.ts';

/** The serving end of links: what other nodes ask on the channels that they have opened, a PeerService answers. */
export class PeerEndpoint {
  readonly #channels = new Set<ServedChannel>();
  #isLeaving = false;
  /** For the listening side of the transport. */
  readonly accept: AcceptChannel;

  constructor({ service, clock, limits }: PeerEndpointOptions) {
    const allLimits = { ...linkLimits, ...limits };
    this.accept = (channel) => {
      const served = new ServedChannel(channel, service, clock, allLimits, () =>
        this.#channels.delete(served),
      );
      this.#channels.add(served);
      if (this.#isLeaving) channel.send(leave);
      return served;
    };
  }

  /**
   * This node is about to stop: whoever has asked something gets the answer, and then closes the link. Before the
   * listening side is closed, so that what others have on its way is not lost.
   */
  leave(): void {
    this.#isLeaving = true;
    for (const served of this.#channels) served.channel.send(leave);
  }
}

interface PeerEndpointOptions {
  readonly service: PeerService;
  readonly clock: Clock;
  readonly limits?: Partial<LinkLimits>;
}

const leave: Answer = { leave: true };
