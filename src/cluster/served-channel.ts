import type { Clock, TimerHandle } from '../actors/runtime/ports.ts';
import type { LinkLimits } from './link-limits.ts';
import { type Answer, type Question, unchecked } from './peer-messages.ts';
import type { CallOrigin, PeerService } from './peers.ts';
import type { Channel, ChannelEvents } from './transport.ts';

/**
 * One channel that another node has opened to ask on.
 *
 * S1 Calls and streams are started in the order in which they arrive, each once: an id that does not rise has been
 *    seen.
 * S2 A stream stops with its channel, or when the other end takes its messages too slowly: it begins anew then,
 *    which costs less than a queue that grows.
 *
 * How many calls are open here is bounded by what the other end has open, and by the mailboxes behind the service.
 */
export class ServedChannel implements ChannelEvents {
  readonly channel: Channel;
  readonly #service: PeerService;
  readonly #clock: Clock;
  readonly #limits: LinkLimits;
  readonly #onOver: () => void;
  readonly #origin: CallOrigin;
  readonly #streams = new Map<number, ServedStream>();
  #lastId = 0;
  #isOver = false;
  #heardAtMs: number;
  #timer: TimerHandle | undefined;

  constructor(channel: Channel, service: PeerService, clock: Clock, limits: LinkLimits, onOver: () => void) {
    this.channel = channel;
    this.#service = service;
    this.#clock = clock;
    this.#limits = limits;
    this.#onOver = onOver;
    this.#origin = { instanceId: channel.peerInstanceId };
    this.#heardAtMs = clock.monotonicMs();
    this.#setTimer();
  }

  onMessage(message: unknown): void {
    if (this.#isOver) return;
    this.#heardAtMs = this.#clock.monotonicMs();
    const { call, subscribe, method, body, unsubscribe, ping } = unchecked<Question>(message) ?? {};
    if (typeof call === 'number') {
      if (typeof method === 'string' && this.#isNew(call)) this.#serve(call, method, body);
    } else if (typeof subscribe === 'number') {
      if (typeof method === 'string' && this.#isNew(subscribe)) this.#stream(subscribe, method, body);
    } else if (typeof unsubscribe === 'number') this.#unsubscribe(unsubscribe);
    else if (ping === true) this.#answer({ pong: true });
  }

  onClose(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#timer?.cancel();
    this.#onOver();
    for (const id of this.#streams.keys()) this.#unsubscribe(id);
  }

  #isNew(id: number): boolean {
    if (id <= this.#lastId) return false;
    this.#lastId = id;
    return true;
  }

  #serve(call: number, method: string, body: unknown): void {
    this.#service.serve(method, body, this.#origin, (answer) => this.#answer({ reply: call, answer }));
  }

  #stream(id: number, method: string, body: unknown): void {
    if (this.#streams.size >= this.#limits.streamsMax) return this.#answer({ ended: id });
    const stream: ServedStream = { stop: undefined };
    this.#streams.set(id, stream);
    const stop = this.#service.stream(method, body, (message) => {
      if (this.#streams.get(id) === stream) this.#sendOf(id, stream, message);
    });
    if (this.#streams.get(id) !== stream) return stop?.();
    stream.stop = stop;
    if (stop !== undefined) return;
    this.#streams.delete(id);
    this.#answer({ ended: id });
  }

  #sendOf(id: number, stream: ServedStream, message: object): void {
    if (this.channel.queuedBytes <= this.#limits.streamQueuedBytesMax) {
      return this.#answer({ stream: id, message });
    }
    this.#streams.delete(id);
    this.#answer({ ended: id });
    // Who sends is in the middle of it.
    this.#clock.defer(() => stream.stop?.());
  }

  #unsubscribe(id: number): void {
    const stream = this.#streams.get(id);
    this.#streams.delete(id);
    stream?.stop?.();
  }

  #answer(answer: Answer): void {
    if (!this.#isOver) this.channel.send(answer);
  }

  #setTimer(): void {
    const leftMs = this.#limits.servedSilenceMaxMs - (this.#clock.monotonicMs() - this.#heardAtMs);
    this.#timer = this.#clock.setTimer(Math.max(1, leftMs), () => this.#clock.defer(() => this.#onTimer()));
  }

  /** The other end has died without a word, or the network between: nobody would ever close this. */
  #onTimer(): void {
    if (this.#isOver) return;
    if (this.#clock.monotonicMs() - this.#heardAtMs < this.#limits.servedSilenceMaxMs)
      return this.#setTimer();
    this.channel.close();
    this.onClose();
  }
}

interface ServedStream {
  /** Undefined until the service has returned it. */
  stop: (() => void) | undefined;
}
