/**
 * The lane of a user: always the same one, so that the operations of a user are never out of order.
 * FNV-1a, 32 bits (Fowler, Noll, Vo; public domain).
 */
export function laneOf(userId: string, laneCount: number): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < userId.length; i++) {
    hash = Math.imul(hash ^ userId.charCodeAt(i), 0x01000193);
  }
  return (hash >>> 0) % laneCount;
}
