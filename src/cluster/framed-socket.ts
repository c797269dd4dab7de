import type { Socket } from 'node:net';
import type { ChannelLimits } from './channel-limits.ts';
import { encodeFrame, FrameFault, FrameReader } from './frame.ts';
import type { ChannelEvents } from './transport.ts';

/** A frame is closed when it has so much, in characters, so that a long queue goes out bit by bit. */
const frameCharsGood = 256 * 1024;

/**
 * Sends and receives messages over a socket: those that are sent in one turn of the event loop as one frame.
 *
 * F1 One frame is being written; what is sent meanwhile is the next one. So a peer that is slow gets few, large
 *    frames, what waits is counted here and nowhere else, and a write that does not end shows a peer that hangs.
 * F2 `onClose` comes once, and nothing after it: neither messages of the frame that is being read, nor of others.
 * F3 Memory is bounded: `queuedBytesMax` outwards, one frame inwards.
 *
 * A frame goes out at the end of the turn and not at the end of the callback in which it was sent: with many
 * clients, each with a callback of its own, that is one write instead of dozens.
 */
export class FramedSocket {
  readonly #socket: Socket;
  readonly #limits: ChannelLimits;
  readonly #reader: FrameReader;
  #events: ChannelEvents;
  /** JSON of what was sent and is not being written yet. */
  #texts: string[] = [];
  /** Characters of it: about as many bytes. */
  #textChars = 0;
  /** Of the frame that is being written; 0: none is. */
  #writingBytes = 0;
  #writes = 0;
  #isFlushDue = false;
  /** Closed from this side. */
  #isEnding = false;
  #isClosed = false;
  #reason = '';
  #cutOffFor: string | undefined;
  /** Of the newest write; runs out without effect when that has ended. */
  #stallTimer: NodeJS.Timeout | undefined;

  /** @param socket connected and authenticated. */
  constructor(socket: Socket, limits: ChannelLimits, events: ChannelEvents) {
    this.#socket = socket;
    this.#limits = limits;
    this.#events = events;
    this.#reader = new FrameReader(limits.frameBytesMax);
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('error', (error: Error) => this.#note(error.message));
    socket.on('end', () => this.#note(this.#reader.isInFrame ? 'it broke off in a frame' : 'it has left'));
    socket.on('close', () => this.#onClose());
  }

  /** From the next message on. */
  set events(events: ChannelEvents) {
    this.#events = events;
  }

  get queuedBytes(): number {
    return this.#writingBytes + this.#textChars;
  }

  /** Why this end has cut the other off, if it has. */
  get cutOffFor(): string | undefined {
    return this.#cutOffFor;
  }

  /** See Channel. A message that is no JSON is a bug of ours: it ends the channel, since nothing may be left out. */
  send(message: object): void {
    if (this.#isEnding) return;
    let text: string;
    try {
      text = JSON.stringify(message);
      this.#textChars += text.length + 1;
    } catch (error) {
      return this.destroy(`a message can’t be written as JSON: ${(error as Error).message}`);
    }
    this.#texts.push(text);
    if (this.queuedBytes > this.#limits.queuedBytesMax) {
      return this.destroy(
        `${this.queuedBytes} bytes wait to be sent; ${this.#limits.queuedBytesMax} are the limit`,
      );
    }
    if (this.#isFlushDue || this.#writingBytes > 0) return;
    this.#isFlushDue = true;
    setImmediate(() => {
      this.#isFlushDue = false;
      this.#writeNext();
    });
  }

  /** What was sent before still goes out, if the peer takes it; what arrives is not looked at. */
  close(reason: string): void {
    if (this.#isEnding) return;
    while (this.#texts.length > 0 && !this.#isEnding) this.#write();
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#note(reason);
    this.#socket.end();
    setTimeout(() => this.#socket.destroy(), this.#limits.lingerMs).unref();
    setImmediate(() => this.#onClose());
  }

  /** Cuts the other end off at once. */
  destroy(reason: string): void {
    this.#isEnding = true;
    this.#cutOffFor ??= reason;
    this.#texts = [];
    this.#textChars = 0;
    this.#note(reason);
    this.#socket.destroy();
  }

  #writeNext(): void {
    if (this.#isEnding || this.#writingBytes > 0 || this.#texts.length === 0) return;
    this.#write();
  }

  #write(): void {
    const frame = encodeFrame(this.#takeTexts());
    if (frame.length > this.#limits.frameBytesMax) {
      return this.destroy(`a message has ${frame.length} bytes; ${this.#limits.frameBytesMax} are the limit`);
    }
    this.#writingBytes += frame.length;
    this.#writes += 1;
    this.#socket.write(frame, () => {
      this.#writingBytes -= frame.length;
      this.#writeNext();
    });
    if (this.#stallTimer === undefined) {
      this.#stallTimer = setTimeout(() => this.#onStall(), this.#limits.socketTimeoutMs).unref();
    } else {
      this.#stallTimer.refresh();
    }
  }

  #takeTexts(): readonly string[] {
    let texts = this.#texts;
    if (this.#textChars <= frameCharsGood) {
      this.#texts = [];
      this.#textChars = 0;
      return texts;
    }
    let chars = 0;
    let count = 0;
    while (count < texts.length && (count === 0 || chars + texts[count]!.length < frameCharsGood)) {
      chars += texts[count++]!.length + 1;
    }
    texts = this.#texts.splice(0, count);
    this.#textChars -= chars;
    return texts;
  }

  /** It may have been this process that stood still: looked at again when the socket has had its turn. */
  #onStall(): void {
    const writes = this.#writes;
    setImmediate(() => {
      if (this.#writingBytes === 0 || this.#writes !== writes || this.#isClosed) return;
      this.destroy(`it takes nothing for ${this.#limits.socketTimeoutMs} ms`);
    });
  }

  #onData(chunk: Buffer): void {
    if (this.#isEnding) return;
    try {
      this.#reader.push(chunk, (messages) => {
        for (const message of messages) if (!this.#isEnding) this.#events.onMessage(message);
      });
    } catch (error) {
      if (!(error instanceof FrameFault)) throw error;
      this.destroy(error.message);
    }
  }

  /** The first reason is the one that counts. */
  #note(reason: string): void {
    this.#reason ||= reason;
  }

  #onClose(): void {
    if (this.#isClosed) return;
    this.#isEnding = true;
    this.#isClosed = true;
    clearTimeout(this.#stallTimer);
    this.#events.onClose(this.#reason || 'the connection is lost');
  }
}
