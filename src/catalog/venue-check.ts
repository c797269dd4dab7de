import { seatsPerVenueMax } from '../actors/allocator/venue-layout.ts';
import { FaultList } from './import-fault.ts';

/** The core keeps a bitmap a category and one a section (seat-map.ts): these bound its memory. */
export const categoriesPerVenueMax = 256;
export const sectionsPerVenueMax = 1_000;

/** What is wrong with a venue that is being read: the faults of its parts, and what holds for all of it. */
export class VenueCheck {
  readonly faults = new FaultList();
  readonly #pathBySeatId = new Map<string, string>();
  readonly #categories = new Set<string>();
  #seats = 0;

  /** For every seat of the document, whether it can be read or not. */
  countSeat(): void {
    this.#seats += 1;
  }

  addSeat(seatId: string, idPath: string, category: string): void {
    if (this.#seats > seatsPerVenueMax) return;
    this.#categories.add(category);
    const earlier = this.#pathBySeatId.get(seatId);
    if (earlier === undefined) this.#pathBySeatId.set(seatId, idPath);
    else this.faults.add(idPath, `must be unique, and ${earlier} is the same`);
  }

  /** When all is read. `path` is that of the list of sections. */
  finish(path: string, sectionCount: number): void {
    if (this.#seats === 0) this.faults.addFirst(path, 'must have at least one seat');
    if (this.#seats > seatsPerVenueMax)
      this.faults.addFirst(path, `must have at most ${seatsPerVenueMax} seats, and has ${this.#seats}`);
    if (this.#categories.size > categoriesPerVenueMax)
      this.faults.addFirst(path, `must have at most ${categoriesPerVenueMax} categories`);
    if (sectionCount > sectionsPerVenueMax)
      this.faults.addFirst(
        path,
        `must have at most ${sectionsPerVenueMax} sections, and has ${sectionCount}`,
      );
  }
}
