import {
  type Redis,
  type RedisCommand,
  RedisRefusal,
  type RedisReply,
  type RedisScript,
  RedisUnavailable,
} from '../../../src/redis/redis.ts';

/** lost: never carried out. answer-lost: carried out, and nobody hears of it. */
type RedisStep = 'well' | 'lost' | 'answer-lost';

/** What a script does, to the value of its one key. */
export type ScriptModel = (
  values: Map<string, string>,
  key: string,
  args: readonly string[],
) => string | number;

/** A Redis of one map, that does what a test tells it to. Time never ends a value; what its life was is kept. */
export class ScriptedRedis implements Redis {
  isUsable = true;
  readonly values = new Map<string, string>();
  readonly livesMs = new Map<string, number>();
  /** Every call, as its commands in words. */
  readonly calls: string[][] = [];
  /** Of the next calls. */
  steps: RedisStep[] = [];
  /** Keys whose commands are refused. */
  readonly refused = new Set<string>();
  readonly #models: ReadonlyMap<RedisScript, ScriptModel>;
  #gate: PromiseWithResolvers<void> | undefined;

  constructor(models: ReadonlyMap<RedisScript, ScriptModel> = new Map()) {
    this.#models = models;
  }

  /** Calls from now on are carried out when they come, and answered when they are released. */
  hold(): void {
    this.#gate = Promise.withResolvers<void>();
  }

  release(): void {
    this.#gate?.resolve();
    this.#gate = undefined;
  }

  async run(commands: readonly RedisCommand[]): Promise<readonly RedisReply[]> {
    if (!this.isUsable) throw new RedisUnavailable('scripted');
    this.calls.push(commands.map(wordsOf));
    const gate = this.#gate?.promise;
    const step = this.steps.shift() ?? 'well';
    const replies = step === 'lost' ? [] : commands.map((command) => this.#apply(command));
    await gate;
    if (step !== 'well') throw new RedisUnavailable('scripted');
    return replies;
  }

  #apply({ command, keys, args = [] }: RedisCommand): RedisReply {
    const [key = ''] = keys;
    if (this.refused.has(key)) return new RedisRefusal('scripted');
    const words = args.map(String);
    if (typeof command === 'object') {
      const model = this.#models.get(command);
      if (model === undefined) throw new Error(`no model of ${command.name}`);
      return model(this.values, key, words);
    }
    const known = this.values.get(key);
    switch (command) {
      case 'get':
        return known ?? null;
      case 'set':
        this.values.set(key, words[0] as string);
        this.livesMs.set(key, Number(words[2]));
        return 'OK';
      case 'del':
        this.values.delete(key);
        return known === undefined ? 0 : 1;
    }
  }
}

const wordsOf = ({ command, keys, args = [] }: RedisCommand): string =>
  [typeof command === 'object' ? command.name : command, ...keys, ...args].join(' ');
