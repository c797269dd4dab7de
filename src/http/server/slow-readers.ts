import type { Socket } from 'node:net';

interface Backlog {
  readonly bytesWritten: number;
  readonly sinceMs: number;
}

/**
 * Cuts off clients that do not take their answer. A socket's own timeout sees one that takes nothing; one
 * that takes a byte now and then would keep a body of megabytes in memory for as long as it likes. Here an
 * answer has a time in which it must be gone.
 */
export class SlowReaders {
  readonly #sockets: Iterable<Socket>;
  readonly #timeoutMs: number;
  readonly #checkEveryMs: number;
  readonly #backlogs = new WeakMap<Socket, Backlog>();
  #timer: NodeJS.Timeout | undefined;

  constructor(sockets: Iterable<Socket>, timeoutMs: number, checkEveryMs: number) {
    this.#sockets = sockets;
    this.#timeoutMs = timeoutMs;
    this.#checkEveryMs = checkEveryMs;
  }

  start(): void {
    this.#timer = setInterval(() => this.#check(performance.now()), this.#checkEveryMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #check(nowMs: number): void {
    for (const socket of this.#sockets) {
      const backlog = this.#backlogs.get(socket);
      const { bytesWritten } = socket;
      if (socket.writableLength === 0) this.#backlogs.delete(socket);
      else if (backlog?.bytesWritten !== bytesWritten) {
        // Another answer was added: the ones before it are going out.
        this.#backlogs.set(socket, { bytesWritten, sinceMs: nowMs });
      } else if (nowMs - backlog.sinceMs >= this.#timeoutMs) socket.destroy();
    }
  }
}
