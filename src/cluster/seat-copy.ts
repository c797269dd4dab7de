import type { SeatChange } from '../actors/allocator/seat-change.ts';
import type { SeatMap } from '../actors/allocator/seat-map.ts';
import { AvailabilityView } from '../actors/runtime/availability-view.ts';
import type { Peers, Subscription } from './peers.ts';
import type { SeatMessage, SeatStreamRequest } from './seat-messages.ts';

/** The free seats of one schedule of another node's, kept up to date by its owner: exactly as they were at their seq. */
export class SeatCopy {
  readonly address: string;
  readonly #options: SeatCopyOptions;
  readonly #subscription: Subscription;
  #view: AvailabilityView | undefined;
  /** Changes that came while the hall was being loaded. */
  #early: SeatChange[] = [];
  #waiting: ((view: AvailabilityView | undefined) => void)[] = [];
  #isOver = false;
  lastReadMs = 0;

  constructor(options: SeatCopyOptions) {
    const { peers, address, request } = options;
    this.#options = options;
    this.address = address;
    this.#subscription = peers.subscribe(address, 'seats', request, {
      onMessage: (message) => this.#onMessage(message as SeatMessage),
      onEnd: () => this.#finish(),
    });
  }

  /** The view changes under the caller, as an actor's does; undefined when the owner does not tell. */
  read(reply: (view: AvailabilityView | undefined) => void): void {
    if (this.#view !== undefined || this.#isOver) reply(this.#view);
    else this.#waiting.push(reply);
  }

  /** Nobody reads it any more. */
  end(): void {
    if (!this.#isOver) this.#subscription.end();
    this.#finish();
  }

  #onMessage(message: SeatMessage): void {
    switch (message.kind) {
      case 'snapshot':
        void this.#begin(message.seq, Buffer.from(message.bits, 'base64'));
        break;
      case 'change':
        if (this.#view === undefined) this.#early.push(message);
        else this.#apply(this.#view, message);
        break;
      case 'over':
        this.end();
    }
  }

  async #begin(seq: number, bits: Uint8Array): Promise<void> {
    const map = await this.#options.loadMap().catch(() => undefined);
    if (this.#isOver) return;
    if (map === undefined || bits.length !== (map.seatCount + 7) >>> 3) return this.end();
    const view = new AvailabilityView(
      map,
      seq,
      (seat) => (((bits[seat >>> 3] as number) >>> (seat & 7)) & 1) === 1,
    );
    for (const change of this.#early.splice(0)) if (!this.#apply(view, change)) return;
    this.#view = view;
    for (const reply of this.#waiting.splice(0)) reply(view);
  }

  #apply(view: AvailabilityView, change: SeatChange): boolean {
    if (change.seq === view.seq + 1) view.apply(change);
    else this.end();
    return !this.#isOver;
  }

  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#view = undefined;
    this.#options.onOver(this);
    for (const reply of this.#waiting.splice(0)) reply(undefined);
  }
}

interface SeatCopyOptions {
  readonly peers: Peers;
  readonly address: string;
  readonly request: SeatStreamRequest;
  /** Undefined for a schedule that does not exist. */
  loadMap(): Promise<SeatMap | undefined>;
  /** Once; the copy is of no use any more. */
  onOver(copy: SeatCopy): void;
}
