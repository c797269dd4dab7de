import type { Clock } from '../../../src/actors/runtime/ports.ts';
import type { Channel, ChannelEvents } from '../../../src/cluster/transport.ts';

/** Two ends of a channel in one process. What is sent arrives when the clock has run what is deferred. */
export class ChannelPair {
  readonly #clock: Clock;
  readonly opener: PairedChannel;
  readonly server: PairedChannel;
  /** Nothing arrives, and nothing is lost. */
  isStuck = false;
  /** Everything arrives twice. */
  isDoubling = false;
  readonly #waiting: (() => void)[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
    this.opener = new PairedChannel('server/1@b:1', (message) => this.#carry(message, this.server));
    this.server = new PairedChannel('opener/1@a:1', (message) => this.#carry(message, this.opener));
    for (const end of [this.opener, this.server]) end.whenClosed = () => this.break('closed');
  }

  break(reason: string): void {
    this.#clock.defer(() => {
      this.opener.breakNow(reason);
      this.server.breakNow(reason);
    });
  }

  #carry(message: object, to: PairedChannel): void {
    const text = JSON.stringify(message);
    this.#clock.defer(() => {
      const arrive = () => to.take(JSON.parse(text));
      if (this.isStuck) return void this.#waiting.push(arrive);
      arrive();
      if (this.isDoubling) arrive();
    });
  }

  unstick(): void {
    this.isStuck = false;
    for (const arrive of this.#waiting.splice(0)) arrive();
  }
}

class PairedChannel implements Channel {
  readonly wireVersion = 1;
  readonly peerInstanceId: string;
  queuedBytes = 0;
  events: ChannelEvents | undefined;
  whenClosed: () => void = () => {};
  readonly sent: object[] = [];
  isOpen = true;
  readonly #carry: (message: object) => void;

  constructor(peerInstanceId: string, carry: (message: object) => void) {
    this.peerInstanceId = peerInstanceId;
    this.#carry = carry;
  }

  send(message: object): void {
    this.sent.push(message);
    if (this.isOpen) this.#carry(message);
  }

  close(): void {
    this.whenClosed();
  }

  take(message: unknown): void {
    if (this.isOpen) this.events?.onMessage(message);
  }

  breakNow(reason: string): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.events?.onClose(reason);
  }
}
