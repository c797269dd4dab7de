import type { ChannelEvents } from '../../../src/cluster/transport.ts';
import type { Owner } from '../scheduler.ts';
import type { Place } from './cluster-action.ts';

type Item =
  | { readonly kind: 'message'; readonly text: string }
  | { readonly kind: 'close'; readonly reason: string };

/** One direction of a channel: what is sent arrives in that order, in the receiver's own time. */
export class SimulatedLine {
  readonly from: Place;
  readonly to: Place;
  /** The process at the far end. */
  readonly receiver: Owner;
  readonly #carrier: Carrier;
  #events: ChannelEvents | undefined;
  #queue: Item[] = [];
  #isOver = false;

  constructor(from: Place, to: Place, receiver: Owner, carrier: Carrier) {
    this.from = from;
    this.to = to;
    this.receiver = receiver;
    this.#carrier = carrier;
  }

  set events(events: ChannelEvents) {
    this.#events = events;
  }

  get queuedBytes(): number {
    return this.#queue.reduce((sum, item) => sum + (item.kind === 'message' ? item.text.length : 0), 0);
  }

  get queued(): number {
    return this.#queue.length;
  }

  /** @param text JSON: what can't be written as JSON never reaches anybody. */
  send(text: string): void {
    this.#push({ kind: 'message', text });
  }

  /** Behind what was sent before; or instead of it. */
  close(reason: string, losesWhatIsOnItsWay: boolean): void {
    if (losesWhatIsOnItsWay) this.#queue = [];
    this.#push({ kind: 'close', reason });
  }

  /** Nobody at the far end listens any more. */
  end(): void {
    this.#isOver = true;
    this.#queue = [];
  }

  /** The next one arrives. */
  arrive(): void {
    const item = this.#queue.shift();
    if (item === undefined || this.#isOver) return;
    if (item.kind === 'close') {
      this.#isOver = true;
      return this.#events?.onClose(item.reason);
    }
    if (this.#carrier.isDuplicated(item.text)) this.#push(item);
    this.#events?.onMessage(JSON.parse(item.text));
  }

  #push(item: Item): void {
    if (this.#isOver) return;
    this.#queue.push(item);
    this.#carrier.carry(this, item.kind === 'message' ? item.text : item.reason);
  }
}

export interface Carrier {
  /** Sees to it that the line's next item arrives once more. */
  carry(line: SimulatedLine, text: string): void;
  isDuplicated(text: string): boolean;
}
