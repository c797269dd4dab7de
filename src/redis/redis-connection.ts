import { Redis as Client, ReplyError } from 'ioredis';
import type { Clock } from '../actors/runtime/ports.ts';
import { OutageNotices, type RedisNotice } from './outage-notices.ts';
import {
  type Redis,
  type RedisCommand,
  RedisRefusal,
  type RedisReply,
  type RedisScript,
  RedisUnavailable,
} from './redis.ts';
import { redisAddress } from './redis-address.ts';

/**
 * The connection to Redis: one socket, made again for ever when it breaks.
 *
 * R1 Nothing here stops the node: opening does not wait, no error is thrown or emitted, and a call rejects
 *    within `commandLimitMs`.
 * R2 Nothing queues: what can't be written now is refused, what was written is never written again, and
 *    `commandsMax` commands at most are on their way.
 * R3 Where Redis has not answered `timeoutsInARowMax` calls in a row, or the socket is gone, `isUsable` turns
 *    false and calls are refused at once; nobody waits to find out whether it is back.
 *
 * The time limit is ours and not ioredis' commandTimeout. That rejects the promise and leaves the command where
 * it is (its reply is still awaited in order, so the pipeline behind it is right), and then nobody can count
 * what is on its way to a Redis that hangs. It also takes a stall of our own event loop for one of Redis': its
 * timer runs before the socket is read. Ours looks once more after that.
 *
 * Settings of ioredis that matter: a command that is in flight when the socket closes is rejected only through
 * `maxRetriesPerRequest: 0` (with `autoResendUnfulfilledCommands: false` alone its promise would stay open for
 * ever); `socketTimeout` ends a connection, also one that is still greeting, whose other end keeps silent.
 */
export class RedisConnection implements Redis {
  readonly #clock: Clock;
  readonly #observer: RedisObserver;
  readonly #keyPrefix: string;
  readonly #commandLimitMs: number;
  readonly #commandsMax: number;
  readonly #notices: OutageNotices;
  readonly #client: Client;
  readonly #scripts = new Set<RedisScript>();
  #onItsWay = 0;
  #timeoutsInARow = 0;
  /** Redis has the socket and does not answer: a ping is on its way, or will be. */
  #isSilent = false;
  #wasUp = false;
  #isClosed = false;
  #lastError = '';
  #movedAtMs = Number.NEGATIVE_INFINITY;

  /** @throws Error when the URL is none; whether anybody is there shows later. */
  constructor(options: RedisConnectionOptions) {
    const { url, clock, observer, onNotice, keyPrefix = 'usher:' } = options;
    const { commandLimitMs = 50, commandsMax = 5_000, silenceMaxMs = 1_000, noticeEveryMs = 5_000 } = options;
    this.#clock = clock;
    this.#observer = observer;
    this.#keyPrefix = keyPrefix;
    this.#commandLimitMs = commandLimitMs;
    this.#commandsMax = commandsMax;
    this.#notices = new OutageNotices(clock, noticeEveryMs, onNotice);
    this.#client = new Client({
      ...redisAddress(url),
      lazyConnect: true,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      retryStrategy: (attempt) => backoffMs(attempt),
      reconnectOnError: (error) => this.#mustMove(error),
      connectTimeout: 2_000,
      socketTimeout: silenceMaxMs,
      // After a polite end; a Redis that hangs would keep a process that stops.
      disconnectTimeout: 200,
      // The oldest protocol that does: proxies and old servers know it, and no greeting has to be repeated.
      protocol: 2,
      connectionName: 'usher',
      disableClientInfo: true,
    });
    this.#client.on('error', (error: Error) => {
      this.#lastError = reasonOf(error);
    });
    this.#client.on('ready', () => this.#onReady());
    this.#client.on('close', () => this.#update());
    this.#client.on('end', () => this.#onEnd());
    observer.onConnection(false);
    this.#connect();
  }

  get isUsable(): boolean {
    return this.#isUp && this.#onItsWay < this.#commandsMax;
  }

  async run(commands: readonly RedisCommand[]): Promise<readonly RedisReply[]> {
    if (!this.#isUp) throw new RedisUnavailable('Redis can’t be used now');
    if (this.#onItsWay + commands.length > this.#commandsMax) {
      throw new RedisUnavailable(`${this.#onItsWay} commands are on their way to Redis`);
    }
    for (const { command } of commands) if (typeof command === 'object') this.#define(command);
    const pipeline = this.#client.pipeline(commands.map((command) => this.#toWords(command)));
    return this.#withinLimit(commands.length, pipeline.exec());
  }

  /** Waits for what is on its way, within the time limit. Calls that come later are refused. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#notices.close();
    const { promise, resolve } = Promise.withResolvers<void>();
    const untilMs = this.#clock.monotonicMs() + this.#commandLimitMs;
    const look = () => {
      if (this.#onItsWay === 0 || this.#clock.monotonicMs() >= untilMs) resolve();
      else this.#clock.setTimer(1, look);
    };
    look();
    await promise;
    this.#client.disconnect();
  }

  get #isUp(): boolean {
    return this.#client.status === 'ready' && !this.#isSilent && !this.#isClosed;
  }

  #withinLimit(count: number, answering: Promise<Answers>): Promise<readonly RedisReply[]> {
    const { promise, resolve, reject } = Promise.withResolvers<readonly RedisReply[]>();
    let isOpen = true;
    this.#onItsWay += count;
    const giveUp = () => {
      if (!isOpen) return;
      isOpen = false;
      this.#onTimeout();
      reject(new RedisUnavailable(`no answer from Redis within ${this.#commandLimitMs} ms`));
    };
    const timer = this.#clock.setTimer(this.#commandLimitMs, () => this.#clock.defer(giveUp));
    const settle = (finish: () => void) => {
      timer.cancel();
      this.#onItsWay -= count;
      if (!isOpen) return;
      isOpen = false;
      finish();
    };
    answering.then(
      (answers) =>
        settle(() => {
          try {
            resolve(repliesOf(answers));
            this.#timeoutsInARow = 0;
          } catch (error) {
            reject(error);
          }
        }),
      (error: Error) => settle(() => reject(new RedisUnavailable(reasonOf(error)))),
    );
    return promise;
  }

  #toWords({ command, keys, args = [] }: RedisCommand): (string | number)[] {
    const name = typeof command === 'object' ? command.name : command;
    return [name, ...keys.map((key) => `${this.#keyPrefix}${key}`), ...args];
  }

  #define(script: RedisScript): void {
    if (this.#scripts.has(script)) return;
    this.#scripts.add(script);
    const { name, lua, keyCount: numberOfKeys } = script;
    this.#client.defineCommand(name, { lua, numberOfKeys });
  }

  #onTimeout(): void {
    this.#observer.onTimeout();
    this.#timeoutsInARow += 1;
    if (this.#timeoutsInARow < timeoutsInARowMax || this.#isSilent || this.#client.status !== 'ready') return;
    this.#isSilent = true;
    this.#lastError = `no answer within ${this.#commandLimitMs} ms`;
    this.#update();
    this.#ping();
  }

  /** Until one is answered in time. A broken socket ends it, and a new one is not silent. */
  #ping(): void {
    const sentAtMs = this.#clock.monotonicMs();
    const onAnswer = () => {
      if (!this.#isSilent || this.#isClosed) return;
      if (this.#clock.monotonicMs() - sentAtMs <= this.#commandLimitMs) return this.#onReady();
      this.#clock.setTimer(pingPauseMs, () => this.#isSilent && this.#ping());
    };
    this.#client.ping().then(onAnswer, (error) => error instanceof ReplyError && onAnswer());
  }

  #onReady(): void {
    this.#isSilent = false;
    this.#timeoutsInARow = 0;
    this.#update();
  }

  /** ioredis has given up, which none of our settings asks for. */
  #onEnd(): void {
    this.#update();
    if (!this.#isClosed) this.#clock.setTimer(backoffMaxMs, () => this.#connect());
  }

  #connect(): void {
    if (!this.#isClosed) this.#client.connect().catch(() => {});
  }

  #update(): void {
    if (this.#isClosed) return;
    const isUp = this.#isUp;
    if (isUp !== this.#wasUp) this.#observer.onConnection(isUp);
    this.#wasUp = isUp;
    this.#notices.update(
      isUp
        ? { kind: 'up', message: 'Redis is back' }
        : { kind: 'down', message: `Redis can’t be used: ${this.#lastError || 'the connection is lost'}` },
    );
  }

  /** We may be talking to what was the primary, behind a name that is another server's by now. */
  #mustMove(error: Error): boolean {
    if (!error.message.includes('READONLY')) return false;
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#movedAtMs < backoffMaxMs) return false;
    this.#movedAtMs = nowMs;
    this.#lastError = 'it is a replica and takes no writes';
    return true;
  }
}

export interface RedisConnectionOptions {
  /** As redis-address.ts takes it. */
  readonly url: string;
  readonly clock: Clock;
  readonly observer: RedisObserver;
  /** One when Redis goes, one when it is back; no more than one in `noticeEveryMs` (5 s). No secrets in it. */
  readonly onNotice: (notice: RedisNotice) => void;
  /** Before every key. Default `usher:`. */
  readonly keyPrefix?: string;
  /** A call that is not answered by then is given up. Default 50 ms. */
  readonly commandLimitMs?: number;
  /** On their way at once, those that were given up and not answered included. Default 5,000. */
  readonly commandsMax?: number;
  /** A socket on which an answer is due and nothing comes for so long is closed. Default 1 s. */
  readonly silenceMaxMs?: number;
  readonly noticeEveryMs?: number;
}

/** For metrics. Must be cheap and never throw. */
interface RedisObserver {
  /** A call was given up. */
  onTimeout(): void;
  onConnection(isUp: boolean): void;
}

type Answers = readonly (readonly [error: Error | null, reply: unknown])[] | null;

/** @throws RedisUnavailable when one of them got no answer: the socket broke. */
function repliesOf(answers: Answers): readonly RedisReply[] {
  return (answers ?? []).map(([error, reply]) => {
    if (error === null) return reply as RedisReply;
    // The message alone: ioredis hangs the command with all of its arguments on its errors.
    if (error instanceof ReplyError) return new RedisRefusal(error.message);
    throw new RedisUnavailable(reasonOf(error));
  });
}

/** An error of a host with several addresses has no message of its own. */
const reasonOf = (error: Error & { readonly code?: unknown }): string => error.message || `${error.code}`;

const timeoutsInARowMax = 3;
const pingPauseMs = 100;

const backoffMinMs = 50;
const backoffMaxMs = 2_000;

/** Up to half of it by chance, so that the nodes don't come back as one. */
const backoffMs = (attempt: number): number =>
  Math.round(Math.min(backoffMinMs * 2 ** Math.min(attempt - 1, 10), backoffMaxMs) * (1 - Math.random() / 2));
