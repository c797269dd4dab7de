import { MemoryStore } from '../../src/persistence/memory/memory-store.ts';
import { emptyMemoryStoreData } from '../../src/persistence/memory/memory-store-data.ts';
import type { StoreHarness } from './store-harness.ts';

export function memoryHarness(): StoreHarness {
  const data = emptyMemoryStoreData();
  return { open: async () => new MemoryStore(data), dispose: () => {} };
}
