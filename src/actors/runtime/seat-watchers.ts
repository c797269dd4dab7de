import type { SeatChange } from '../allocator/seat-change.ts';
import type { AvailabilityView } from './availability-view.ts';
import type { SeatWatcher } from './shard-host.ts';

/** Who is told every change of a schedule's free seats, from when its actor is awake until it sleeps. */
export class SeatWatchers {
  readonly #watchers = new Set<SeatWatcher>();

  get size(): number {
    return this.#watchers.size;
  }

  /** @param view as of now: the first change that the watcher is told is the next one. */
  add(watcher: SeatWatcher, view: AvailabilityView): void {
    this.#watchers.add(watcher);
    watcher.onStart(view);
  }

  remove(watcher: SeatWatcher): void {
    this.#watchers.delete(watcher);
  }

  tell(change: SeatChange): void {
    for (const watcher of this.#watchers) watcher.onChange(change);
  }

  /** Nobody here knows any more what is free. */
  end(): void {
    const ended = [...this.#watchers];
    this.#watchers.clear();
    for (const watcher of ended) watcher.onEnd();
  }
}
