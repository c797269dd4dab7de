import type { ScheduleId } from '../../actors/allocator/ids.ts';
import type { RedisReply, RedisScript } from '../../redis/redis.ts';

/** The installation is in the key: schedules are numbered from 1 in each. */
export const countKey = (installationId: string, scheduleId: ScheduleId): string =>
  `available:${installationId}:${scheduleId}`;

/**
 * key; seq, free seats, life in ms → 1, or 0 where a count of a later event is there: a node that was frozen and
 * has lost its shard must not bring back what it knew.
 */
export const publishCount: RedisScript = {
  name: 'usherPublishCount',
  keyCount: 1,
  lua: `
local published = redis.call('GET', KEYS[1])
local seq = published and tonumber(string.match(published, '^(%d+) %d+$'))
if seq and seq > tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1] .. ' ' .. ARGV[2], 'PX', ARGV[3])
return 1`,
};

/** Undefined where there is none, or something that we did not write. */
export function readCount(reply: RedisReply | undefined): number | undefined {
  const count = typeof reply === 'string' ? /^\d{1,16} (\d{1,9})$/.exec(reply)?.[1] : undefined;
  return count === undefined ? undefined : Number(count);
}
