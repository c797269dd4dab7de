import type { ScheduleEvent } from '../allocator/event.ts';
import { evolve } from '../allocator/evolve.ts';
import { checkInvariants } from '../allocator/invariants.ts';
import { type SeatChange, seatChangeOf } from '../allocator/seat-change.ts';
import type { ScheduleState } from '../allocator/state.ts';
import { AvailabilityView } from './availability-view.ts';
import type { ScheduleCounts } from './outcome.ts';

/**
 * What an actor has in memory while it is awake: the state, which runs ahead of the disk, and the free seats as of
 * the last durable event, which is all that may be shown at once (I9).
 */
export class AwakeSchedule {
  readonly state: ScheduleState;
  readonly availability: AvailabilityView;
  /** Decided, not yet on disk, by seq. */
  readonly #changes: SeatChange[] = [];

  /** @param state all of it is on disk. Throws when it breaks an invariant: the store is not to be sold from. */
  constructor(state: ScheduleState) {
    for (const { invariant, faults } of checkInvariants(state)) {
      if (faults.length > 0) throw new Error(`${invariant} is broken in the store: ${faults[0]}`);
    }
    this.state = state;
    this.availability = new AvailabilityView(state.terms.map, state.seq, (seat) => state.free.isFree(seat));
  }

  apply(events: readonly ScheduleEvent[]): void {
    for (const event of events) {
      this.#changes.push(seatChangeOf(this.state, event));
      evolve(this.state, event);
    }
  }

  /** Everything up to `seq` is on disk. @param tell each change that may be shown now, in order. */
  onDurable(seq: number, tell: (change: SeatChange) => void): void {
    let applied = 0;
    for (const change of this.#changes) {
      if (change.seq > seq) break;
      this.availability.apply(change);
      tell(change);
      applied += 1;
    }
    this.#changes.splice(0, applied);
  }

  counts(): ScheduleCounts {
    const { state } = this;
    return {
      seq: state.seq,
      capacity: state.terms.map.seatCount,
      free: state.free.count,
      ...state.seatCounts,
    };
  }
}
