import type { Clock, TimerHandle } from '../actors/runtime/ports.ts';
import { CallLimits } from './call-limits.ts';
import type { LinkLimits } from './link-limits.ts';
import { type Answer, type Question, unchecked } from './peer-messages.ts';
import type { PeerResult, Subscription, SubscriptionEvents } from './peers.ts';
import type { Channel, ChannelEvents } from './transport.ts';

type Reply = (result: PeerResult) => void;

/**
 * One link to another node, from its opening to its end; peer-links.ts opens the next one.
 *
 * L1 Each call is replied to once: by the answer, by its time limit, or by the end of the link.
 * L2 `not-sent` only for what was never given to a channel and never will be: all that waits is given to the
 *    channel in the turn in which it opens, so before that it is `not-sent` and after that it is `no-answer`.
 * L3 Who is called from here may call again: what is replied to has been forgotten before.
 */
export class PeerLink implements ChannelEvents {
  readonly #clock: Clock;
  readonly #limits: LinkLimits;
  readonly #owner: LinkOwner;
  readonly #callLimits: CallLimits;
  readonly #calls = new Map<number, Reply>();
  readonly #subscriptions = new Map<number, SubscriptionEvents>();
  /** What waits for the channel to open, in order. */
  readonly #unsent = new Map<number, Question>();
  #lastId = 0;
  #channel: Channel | undefined;
  #isOver = false;
  #isLeaving = false;
  #heardAtMs = 0;
  #usedAtMs = 0;
  #isUsed = false;
  #timer: TimerHandle | undefined;

  constructor(clock: Clock, limits: LinkLimits, owner: LinkOwner) {
    this.#clock = clock;
    this.#limits = limits;
    this.#owner = owner;
    this.#callLimits = new CallLimits(clock, (callId) => this.#onTimeUp(callId));
  }

  /** @param opening of the channel whose events are this. */
  async open(opening: Promise<Channel>): Promise<void> {
    let channel: Channel;
    try {
      channel = await opening;
    } catch (error) {
      return this.end((error as Error).message);
    }
    if (this.#isOver) return channel.close();
    this.#channel = channel;
    this.#heardAtMs = this.#usedAtMs = this.#clock.monotonicMs();
    for (const question of this.#unsent.values()) channel.send(question);
    this.#unsent.clear();
    this.#setTimer();
    this.#owner.onOpen();
  }

  /** @returns whether it will be replied to; else the link is full, or over. */
  call(method: string, body: unknown, limitMs: number, reply: Reply): boolean {
    if (!this.#canTakeMore() || this.#calls.size >= this.#limits.callsMax) return false;
    const call = ++this.#lastId;
    this.#calls.set(call, reply);
    this.#callLimits.add(call, limitMs);
    this.#ask(call, { call, method, body });
    return true;
  }

  /** Undefined: the link is full, or over. */
  subscribe(method: string, body: unknown, events: SubscriptionEvents): Subscription | undefined {
    if (!this.#canTakeMore() || this.#subscriptions.size >= this.#limits.streamsMax) return undefined;
    const subscribe = ++this.#lastId;
    this.#subscriptions.set(subscribe, events);
    this.#ask(subscribe, { subscribe, method, body });
    return { end: () => this.#unsubscribe(subscribe) };
  }

  isHeardOf(withinMs: number): boolean {
    return this.#channel !== undefined && !this.#isOver && this.#silentMs() <= withinMs;
  }

  onMessage(message: unknown): void {
    if (this.#isOver) return;
    this.#heardAtMs = this.#clock.monotonicMs();
    const { reply, answer, stream, message: item, ended, leave } = unchecked<Answer>(message) ?? {};
    if (typeof reply === 'number') this.#onReply(reply, answer);
    else if (typeof stream === 'number') this.#subscriptions.get(stream)?.onMessage(item);
    else if (typeof ended === 'number') this.#onStreamEnd(ended);
    else if (leave === true) this.#onLeave();
  }

  onClose(reason: string): void {
    this.end(reason);
  }

  /** Replies to all calls. @param reason undefined: as it should be. */
  end(reason?: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#timer?.cancel();
    this.#callLimits.stop();
    this.#unsent.clear();
    this.#owner.onOver(reason, this.#channel !== undefined);
    this.#channel?.close();
    for (const callId of this.#calls.keys()) this.#fail(callId);
    for (const id of this.#subscriptions.keys()) this.#onStreamEnd(id);
  }

  #canTakeMore(): boolean {
    const queuedBytes = this.#channel?.queuedBytes ?? 0;
    return !this.#isOver && queuedBytes <= this.#limits.queuedBytesMax;
  }

  #ask(id: number, question: Question): void {
    this.#isUsed = true;
    if (this.#channel === undefined) this.#unsent.set(id, question);
    else this.#channel.send(question);
  }

  #onReply(callId: number, answer: unknown): void {
    const reply = this.#calls.get(callId);
    if (reply === undefined) return;
    this.#calls.delete(callId);
    reply({ answer });
    if (this.#isLeaving && this.#calls.size === 0) this.end();
  }

  #onTimeUp(callId: number): void {
    this.#fail(callId);
    if (this.#isLeaving && this.#calls.size === 0) this.end();
  }

  #fail(callId: number): void {
    const reply = this.#calls.get(callId);
    if (reply === undefined) return;
    this.#calls.delete(callId);
    this.#unsent.delete(callId);
    reply({ failure: this.#channel === undefined ? 'not-sent' : 'no-answer' });
  }

  #unsubscribe(id: number): void {
    if (!this.#subscriptions.delete(id) || this.#unsent.delete(id)) return;
    this.#channel?.send({ unsubscribe: id } satisfies Question);
  }

  #onStreamEnd(id: number): void {
    const events = this.#subscriptions.get(id);
    this.#subscriptions.delete(id);
    events?.onEnd();
  }

  /** What has been asked is still answered; streams are begun anew elsewhere. */
  #onLeave(): void {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    this.#owner.onLeaving();
    for (const id of this.#subscriptions.keys()) this.#onStreamEnd(id);
    if (this.#calls.size === 0) this.end();
  }

  #silentMs(): number {
    return this.#clock.monotonicMs() - this.#heardAtMs;
  }

  #setTimer(): void {
    const { pingEveryMs, silenceMaxMs } = this.#limits;
    const delayMs = Math.min(pingEveryMs, Math.max(1, silenceMaxMs - this.#silentMs()));
    this.#timer = this.#clock.setTimer(delayMs, () => this.#onTimer());
  }

  #onTimer(): void {
    const { silenceMaxMs, idleMaxMs } = this.#limits;
    if (this.#silentMs() >= silenceMaxMs) this.#clock.defer(() => this.#onSilence());
    const nowMs = this.#clock.monotonicMs();
    if (this.#isUsed || this.#calls.size > 0 || this.#subscriptions.size > 0) this.#usedAtMs = nowMs;
    this.#isUsed = false;
    if (nowMs - this.#usedAtMs >= idleMaxMs) return this.end();
    this.#channel?.send({ ping: true } satisfies Question);
    this.#setTimer();
  }

  /** Looked at after the input that waits: it may have been this process that stood still. */
  #onSilence(): void {
    const silentMs = this.#silentMs();
    if (silentMs >= this.#limits.silenceMaxMs) this.end(`it is silent for ${Math.round(silentMs)} ms`);
  }
}

interface LinkOwner {
  onOpen(): void;
  /** The link takes no more calls, and goes on for those it has. */
  onLeaving(): void;
  /** The link is over; those who wait are told next. @param reason undefined: as it should be. */
  onOver(reason: string | undefined, wasOpen: boolean): void;
}
