import type { RedisScript } from '../../redis/redis.ts';

/**
 * What Redis keeps of a cluster: two hashes in one slot.
 *
 * nodes: `<beat at ms> <lease ends at ms> <record>` by instanceId, by Redis' own TIME; `coordinator`, whose lease is
 * that of its record; `generation`. They share a key so that they are lost together: a Redis that has dropped the
 * nodes, for whatever reason, can't look as if it had kept its memory.
 *
 * shards: `<epoch> <owner>` by shardId, and the `version` of the last change, lost with them as well.
 *
 * The keys live a day after the last beat.
 */
export const nodesKey = (installationId: string): string => `cluster:{${installationId}}:nodes`;
export const shardsKey = (installationId: string): string => `cluster:{${installationId}}:shards`;

export const keyLifeMs = 24 * 60 * 60 * 1000;

/** The field of the hash of shards that is no shard. */
export const versionField = 'version';

const nowLua = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)`;

/**
 * Ends a script: generation, coordinator, version of the shards, then instanceId, age in ms and record of each live
 * node. A beat that lies more than a lease in the future was made before Redis' clock was set back: its node may be
 * dead since, and is told apart by not beating again.
 */
const viewLua = `
local live, ended, isLive = {}, {}, {}
local generation, coordinator = '', ''
local fields = redis.call('HGETALL', KEYS[1])
for i = 1, #fields, 2 do
  local name, text = fields[i], fields[i + 1]
  if name == 'generation' then generation = text
  elseif name == 'coordinator' then coordinator = text
  else
    local beatAt, endsAt, record = string.match(text, '^(%d+) (%d+) (.*)$')
    beatAt, endsAt = tonumber(beatAt), tonumber(endsAt)
    if beatAt and endsAt > now and beatAt - now <= endsAt - beatAt then
      live[#live + 1] = name
      live[#live + 1] = math.max(0, now - beatAt)
      live[#live + 1] = record
      isLive[name] = true
    else
      ended[#ended + 1] = name
    end
  end
end
if not isLive[coordinator] then coordinator = '' end`;

const answerLua = `
local version = redis.call('HGET', KEYS[2], '${versionField}') or ''
local answer = { generation, coordinator, version }
for i = 1, #live do answer[i + 3] = live[i] end
return answer`;

/**
 * nodes, shards; instanceId, record, lease in ms, 1 to coordinate or 0, generation if there is none, life of the
 * keys in ms → the view. What has ended is deleted.
 */
export const beatScript: RedisScript = {
  name: 'usherClusterBeat',
  keyCount: 2,
  lua: `${nowLua}
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f %.0f ', now, now + ARGV[3]) .. ARGV[2])
redis.call('HSETNX', KEYS[1], 'generation', ARGV[5])
${viewLua}
for i = 1, #ended do redis.call('HDEL', KEYS[1], ended[i]) end
if ARGV[4] == '1' and coordinator == '' then
  coordinator = ARGV[1]
  redis.call('HSET', KEYS[1], 'coordinator', coordinator)
elseif ARGV[4] ~= '1' and coordinator == ARGV[1] then
  coordinator = ''
  redis.call('HDEL', KEYS[1], 'coordinator')
end
redis.call('PEXPIRE', KEYS[1], ARGV[6])
redis.call('PEXPIRE', KEYS[2], ARGV[6])
${answerLua}`,
};

/** nodes, shards → the view. */
export const lookScript: RedisScript = {
  name: 'usherClusterLook',
  keyCount: 2,
  lua: `${nowLua}${viewLua}${answerLua}`,
};

/** nodes; instanceId → how many records that were. The coordinator's lease ends with its record. */
export const leaveScript: RedisScript = {
  name: 'usherClusterLeave',
  keyCount: 1,
  lua: `return redis.call('HDEL', KEYS[1], ARGV[1])`,
};

/**
 * shards; the version if something changes, life of the key in ms, then shardId, epoch and owner of each → how many
 * have changed. The store mints an epoch once: of two owners of the same one, the first stays.
 */
export const advertiseScript: RedisScript = {
  name: 'usherClusterAdvertise',
  keyCount: 1,
  lua: `
local changes = 0
for i = 3, #ARGV, 3 do
  local known = redis.call('HGET', KEYS[1], ARGV[i])
  local epoch = known and tonumber(string.match(known, '^(%d+) '))
  if not epoch or epoch < tonumber(ARGV[i + 1]) then
    redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1] .. ' ' .. ARGV[i + 2])
    changes = changes + 1
  end
end
if changes > 0 then redis.call('HSET', KEYS[1], '${versionField}', ARGV[1]) end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return changes`,
};

/** shards → all of them, as fields and values. */
export const readShardsScript: RedisScript = {
  name: 'usherClusterReadShards',
  keyCount: 1,
  lua: `return redis.call('HGETALL', KEYS[1])`,
};
