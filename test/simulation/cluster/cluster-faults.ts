import type { Place } from './cluster-action.ts';

/** What is broken between the nodes and around them, and what will go wrong next. */
export class ClusterFaults {
  readonly #cutLines = new Set<string>();
  readonly #cutFromStore = new Set<Place>();
  readonly #cutFromRegistry = new Set<Place>();
  /** Messages take up to so long. */
  messageDelayMaxMs = 0;
  /** How long the next answers of the store to a place take. */
  readonly #storeDelaysMs = new Map<Place, number[]>();
  /** Messages that will arrive twice. */
  duplicates = 0;
  isRegistryDown = false;
  /** Calls of the registry whose answers get lost. */
  registryUnheard = 0;
  registryLate = 0;
  registryDelayMs = 0;

  cutLine(from: Place, to: Place): void {
    this.#cutLines.add(`${from}>${to}`);
  }

  isLineCut(from: Place, to: Place): boolean {
    return this.#cutLines.has(`${from}>${to}`);
  }

  cutFromStore(place: Place): void {
    this.#cutFromStore.add(place);
  }

  reachesStore(place: Place): boolean {
    return !this.#cutFromStore.has(place);
  }

  cutFromRegistry(place: Place): void {
    this.#cutFromRegistry.add(place);
  }

  reachesRegistry(place: Place): boolean {
    return !this.isRegistryDown && !this.#cutFromRegistry.has(place);
  }

  takeUnheardRegistryCall(): boolean {
    if (this.registryUnheard === 0) return false;
    this.registryUnheard -= 1;
    return true;
  }

  takeRegistryDelayMs(): number {
    if (this.registryLate === 0) return 0;
    this.registryLate -= 1;
    return this.registryDelayMs;
  }

  delayStore(place: Place, count: number, delayMs: number): void {
    this.#storeDelaysMs.set(
      place,
      Array.from({ length: count }, () => delayMs),
    );
  }

  takeStoreDelayMs(place: Place): number {
    return this.#storeDelaysMs.get(place)?.pop() ?? 0;
  }

  takeDuplicate(): boolean {
    if (this.duplicates === 0) return false;
    this.duplicates -= 1;
    return true;
  }

  mendCuts(): void {
    this.#cutLines.clear();
    this.#cutFromStore.clear();
    this.#cutFromRegistry.clear();
  }

  clear(): void {
    this.mendCuts();
    this.messageDelayMaxMs = 0;
    this.duplicates = 0;
    this.#storeDelaysMs.clear();
    this.isRegistryDown = false;
    this.registryUnheard = 0;
    this.registryLate = 0;
  }
}
