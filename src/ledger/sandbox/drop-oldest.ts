/** Keeps a map, in the order of insertion, within its bound. */
export function dropOldest<Key>(map: Map<Key, unknown>, entriesMax: number): void {
  for (const key of map.keys()) {
    if (map.size <= entriesMax) return;
    map.delete(key);
  }
}
