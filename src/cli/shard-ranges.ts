/** `0–5, 9`: shard ids in order, runs of them as one. */
export function formatShardRanges(shardIds: readonly number[]): string {
  const runs: { first: number; last: number }[] = [];
  for (const shardId of [...shardIds].sort((a, b) => a - b)) {
    const run = runs.at(-1);
    if (run !== undefined && shardId === run.last + 1) run.last = shardId;
    else runs.push({ first: shardId, last: shardId });
  }
  return runs.map(({ first, last }) => (first === last ? `${first}` : `${first}–${last}`)).join(', ');
}
