import type { Socket } from 'node:net';

/** What was seen of a connection at the last look, and since when it has been so. */
interface Seen {
  bytesRead: number;
  bytesWritten: number;
  readAtMs: number;
  writtenAtMs: number;
}

/**
 * The open connections of a port, looked at now and then. Two kinds are cut off:
 *
 * - an idle one, on which no byte has moved for `idleTimeoutMs`. node:http can do that too, at the price of
 *   two timers a request, which was measured at 1 µs;
 * - one whose client does not take its answer within `responseTimeoutMs`. A socket's own timeout sees a client
 *   that takes nothing; one that takes a byte now and then would keep megabytes in memory for as long as it
 *   likes.
 */
export class ConnectionWatch {
  readonly #idleTimeoutMs: number;
  readonly #responseTimeoutMs: number;
  readonly #seen = new Map<Socket, Seen>();
  #timer: NodeJS.Timeout | undefined;

  constructor(idleTimeoutMs: number, responseTimeoutMs: number) {
    this.#idleTimeoutMs = idleTimeoutMs;
    this.#responseTimeoutMs = responseTimeoutMs;
  }

  get size(): number {
    return this.#seen.size;
  }

  start(everyMs: number): void {
    this.#timer = setInterval(() => this.#look(performance.now()), everyMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  add(socket: Socket): void {
    const nowMs = performance.now();
    this.#seen.set(socket, { bytesRead: 0, bytesWritten: 0, readAtMs: nowMs, writtenAtMs: nowMs });
    socket.once('close', () => this.#seen.delete(socket));
  }

  /** Those that have not sent a byte: node:http does not count them as idle. */
  closeSilent(): void {
    for (const socket of this.#seen.keys()) if (socket.bytesRead === 0) socket.destroy();
  }

  #look(nowMs: number): void {
    for (const [socket, seen] of this.#seen) {
      const { bytesRead, bytesWritten } = socket;
      if (bytesRead !== seen.bytesRead) {
        seen.bytesRead = bytesRead;
        seen.readAtMs = nowMs;
      }
      // Bytes count as written when they are queued: an answer that was added means that others went out.
      if (bytesWritten !== seen.bytesWritten) {
        seen.bytesWritten = bytesWritten;
        seen.writtenAtMs = nowMs;
      }
      const isBehind = socket.writableLength > 0 && nowMs - seen.writtenAtMs >= this.#responseTimeoutMs;
      const isIdle = nowMs - Math.max(seen.readAtMs, seen.writtenAtMs) >= this.#idleTimeoutMs;
      if (isBehind || isIdle) socket.destroy();
    }
  }
}
