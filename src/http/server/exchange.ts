import type { IncomingMessage, ServerResponse } from 'node:http';
import { errorResponse } from '../answer/error-response.ts';
import type { Problem } from '../answer/problem.ts';
import type { HttpReply } from '../answer/reply.ts';

/** The route index of a request that has matched no route (yet). */
export const unmatchedRoute = 0;

/** What all exchanges of a port share. */
export interface PortState {
  /** Set when the server begins to close: from then on every answer ends its connection. */
  isDraining: boolean;
  readonly observer: RequestObserver;
  /** For a client to take an answer that did not go out at once, without taking a byte of it. */
  readonly socketTimeoutMs: number;
}

/** Told once a request, when it is answered. */
export interface RequestObserver {
  httpRequest(routeIndex: number, status: number, durationMs: number): void;
}

/** The status of a request whose client left before it was answered, as nginx counts it. */
const clientLeft = 499;

/** How long the rest of a body that is not wanted is read and thrown away, so that the answer arrives. */
const lingerMs = 500;

/**
 * One request and its answer, which is sent once, whole. Everything that a port answers to a request, by a
 * hot route or by the app, goes out through here.
 *
 * An object of our own beside node:http's, and not a subclass of them: that made every request slower.
 */
export class Exchange {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  readonly requestId: string;
  routeIndex = unmatchedRoute;
  readonly #port: PortState;
  readonly #startedAtMs: number;

  constructor(incoming: IncomingMessage, outgoing: ServerResponse, requestId: string, port: PortState) {
    this.incoming = incoming;
    this.outgoing = outgoing;
    this.requestId = requestId;
    this.#port = port;
    this.#startedAtMs = performance.now();
  }

  get isDraining(): boolean {
    return this.#port.isDraining;
  }

  get isAnswered(): boolean {
    return this.outgoing.headersSent;
  }

  /** Tells a client that waits to be told (Expect: 100-continue) to send its body. */
  inviteBody(): void {
    if (this.incoming.headers.expect !== undefined) this.outgoing.writeContinue();
  }

  /** A second answer is not sent; one to a client that has left is only counted. */
  send(reply: HttpReply): void {
    if (!this.#begin(reply)) return;
    const { outgoing } = this;
    if (reply.body === '') outgoing.end();
    else outgoing.end(reply.body);
    // Small answers are in the kernel's hands by now.
    const { socket } = outgoing;
    if (socket !== null && socket.writableLength > 0) socket.setTimeout(this.#port.socketTimeoutMs);
  }

  sendProblem(problem: Problem): void {
    this.send(errorResponse(problem, this.requestId));
  }

  /**
   * Answers and closes the connection while the client is still sending. Closing with bytes unread would
   * make the kernel reset the connection, and the client lose the answer: they are read for a moment first.
   */
  sendProblemAndClose(problem: Problem): void {
    const { outgoing } = this;
    const reply = errorResponse(problem, this.requestId);
    outgoing.shouldKeepAlive = false;
    if (!this.#begin(reply)) return;
    outgoing.write(reply.body);
    const timer = setTimeout(() => outgoing.end(), lingerMs);
    outgoing.once('close', () => clearTimeout(timer));
    this.incoming.once('end', () => outgoing.end());
    this.incoming.resume();
  }

  /** Writes the head. False when there is nobody to answer, or nothing left to say. */
  #begin({ status, headers, body }: HttpReply): boolean {
    const { outgoing } = this;
    if (outgoing.headersSent) return false;
    const durationMs = performance.now() - this.#startedAtMs;
    if (outgoing.destroyed) {
      this.#port.observer.httpRequest(this.routeIndex, clientLeft, durationMs);
      return false;
    }
    this.#port.observer.httpRequest(this.routeIndex, status, durationMs);
    if (this.#port.isDraining) outgoing.shouldKeepAlive = false;
    headers.push('X-Request-Id', this.requestId);
    if (body !== '') {
      const lengthBytes = typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength;
      headers.push('Content-Length', String(lengthBytes));
    }
    outgoing.writeHead(status, headers);
    return true;
  }
}
