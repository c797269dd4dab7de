import type { UserId } from '../../actors/allocator/ids.ts';
import type { RedisReply, RedisScript } from '../../redis/redis.ts';

/**
 * What Redis keeps of a balance: one key a user, which holds the balance, or a lease while nobody knows it.
 * One key, because one step of Redis may touch the keys of one cluster slot only, and because what is deleted
 * is then the balance and the lease at once.
 */
type BalanceEntry =
  | { readonly kind: 'balance'; readonly balance: number }
  | { readonly kind: 'lease'; readonly lease: string };

/** The installation is in the key: two that share a Redis have users of the same name. */
export class BalanceKeys {
  readonly generation: string;
  readonly #prefix: string;

  constructor(installationId: string) {
    this.#prefix = `balance:${installationId}`;
    this.generation = `${this.#prefix}:generation`;
  }

  entry(generation: string, userId: UserId): string {
    return `${this.#prefix}:${generation}:${userId}`;
  }
}

const balancePrefix = 'balance:';
const leasePrefix = 'lease:';

export const balanceText = (balance: number): string => `${balancePrefix}${balance}`;
export const leaseText = (token: string): string => `${leasePrefix}${token}`;

/** Undefined for what we did not write, an error of Redis included. */
export function readBalanceEntry(reply: RedisReply | undefined): BalanceEntry | undefined {
  if (typeof reply !== 'string') return undefined;
  if (reply.startsWith(leasePrefix)) return { kind: 'lease', lease: reply };
  const digits = reply.startsWith(balancePrefix) ? reply.slice(balancePrefix.length) : '';
  const balance = /^(0|[1-9]\d{0,15})$/.test(digits) ? Number(digits) : Number.NaN;
  return Number.isSafeInteger(balance) ? { kind: 'balance', balance } : undefined;
}

/** key; lease, its life in ms → what is there: a balance, somebody's lease, or else this lease, now. */
export const readOrLease: RedisScript = {
  name: 'usherReadOrLease',
  keyCount: 1,
  lua: `
local entry = redis.call('GET', KEYS[1])
if entry then return entry end
redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2])
return ARGV[1]`,
};

/** key; lease, balance, its life in ms → `stored`; `filled`, by another one; `refused`: the lease is gone. */
export const fillLease: RedisScript = {
  name: 'usherFillLease',
  keyCount: 1,
  lua: `
local entry = redis.call('GET', KEYS[1])
if entry == ARGV[1] then
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
  return 'stored'
end
if entry and string.sub(entry, 1, ${balancePrefix.length}) == '${balancePrefix}' then return 'filled' end
return 'refused'`,
};
