/**
 * What adapters may do with Redis. It caches and advertises, and is never asked for the truth: whoever calls
 * can do without an answer, and gets none rather than a late one.
 */
export interface Redis {
  /** False while commands would be refused or not answered: ask first, and spare yourself the wait. */
  readonly isUsable: boolean;

  /**
   * Sends the commands in one write and in order; answers theirs, in order. What Redis refuses is a
   * RedisRefusal in its place. Rejects with RedisUnavailable, at once or when the time limit is over: then
   * each of them may have been carried out, may be later, or never.
   */
  run(commands: readonly RedisCommand[]): Promise<readonly RedisReply[]>;
}

export interface RedisCommand {
  /** In lower case. */
  readonly command: 'get' | 'set' | 'del' | RedisScript;
  /** Without the prefix of the connection. In a Redis Cluster, all keys of one command are of one slot. */
  readonly keys: readonly string[];
  readonly args?: readonly (string | number)[];
}

/** Lua that Redis runs as one step. */
export interface RedisScript {
  /** In camel case and unlike any command; unique in the process. */
  readonly name: string;
  readonly keyCount: number;
  readonly lua: string;
}

export type RedisReply = string | number | null | RedisRefusal | readonly RedisReply[];

/** Redis has answered a command with an error. */
export class RedisRefusal extends Error {
  override name = 'RedisRefusal';
}

/** No answer: not connected, too slow, or too much on its way already. */
export class RedisUnavailable extends Error {
  override name = 'RedisUnavailable';
}
