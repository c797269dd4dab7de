import type { ScheduleId } from '../actors/allocator/ids.ts';
import type { SeatMap } from '../actors/allocator/seat-map.ts';
import type { AvailabilityView } from '../actors/runtime/availability-view.ts';
import type { Clock, TimerHandle } from '../actors/runtime/ports.ts';
import type { Peers } from './peers.ts';
import { SeatCopy } from './seat-copy.ts';

/**
 * Copies of what is free in schedules of other nodes, so that the hottest read of a drop is answered where it comes
 * in. Each states its seq, and is what was free then; while its owner is silent it is not shown.
 */
export class SeatCopies {
  readonly #options: SeatCopiesOptions;
  readonly #copies = new Map<ScheduleId, SeatCopy>();
  #timer: TimerHandle | undefined;
  #isClosed = false;

  constructor(options: SeatCopiesOptions) {
    this.#options = options;
  }

  /** @param address of the owner. `reply` with undefined: it does not tell now. */
  read(scheduleId: ScheduleId, address: string, reply: (view: AvailabilityView | undefined) => void): void {
    if (this.#isClosed) return reply(undefined);
    const { peers, clock } = this.#options;
    let copy = this.#copies.get(scheduleId);
    if (copy !== undefined && copy.address !== address) {
      copy.end();
      copy = undefined;
    }
    copy ??= this.#open(scheduleId, address);
    copy.lastReadMs = clock.monotonicMs();
    copy.read((view) =>
      reply(view !== undefined && peers.isHeardOf(address, silenceMaxMs) ? view : undefined),
    );
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    for (const copy of [...this.#copies.values()]) copy.end();
  }

  #open(scheduleId: ScheduleId, address: string): SeatCopy {
    const { peers, loadMap } = this.#options;
    if (this.#copies.size >= copiesMax) this.#leastRecentlyRead()?.end();
    const copy: SeatCopy = new SeatCopy({
      peers,
      address,
      request: { scheduleId },
      loadMap: () => loadMap(scheduleId),
      onOver: (over) => {
        if (this.#copies.get(scheduleId) === over) this.#copies.delete(scheduleId);
      },
    });
    this.#copies.set(scheduleId, copy);
    this.#sweepLater();
    return copy;
  }

  #leastRecentlyRead(): SeatCopy | undefined {
    let oldest: SeatCopy | undefined;
    for (const copy of this.#copies.values()) {
      if (oldest === undefined || copy.lastReadMs < oldest.lastReadMs) oldest = copy;
    }
    return oldest;
  }

  #sweepLater(): void {
    if (this.#timer !== undefined) return;
    this.#timer = this.#options.clock.setTimer(idleMs / 2, () => {
      this.#timer = undefined;
      const beforeMs = this.#options.clock.monotonicMs() - idleMs;
      for (const copy of [...this.#copies.values()]) if (copy.lastReadMs <= beforeMs) copy.end();
      if (this.#copies.size > 0) this.#sweepLater();
    });
  }
}

/** A link says something every half second. */
const silenceMaxMs = 1_500;
const idleMs = 30_000;
/** Of large halls they take megabytes each. */
const copiesMax = 256;

interface SeatCopiesOptions {
  readonly peers: Peers;
  readonly clock: Clock;
  loadMap(scheduleId: ScheduleId): Promise<SeatMap | undefined>;
}
