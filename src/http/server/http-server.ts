import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { invalidRequest } from '../answer/problem.ts';
import type { RequestHandler } from '../routes/app.ts';
import { answerClientError } from './client-error.ts';
import { ConnectionWatch } from './connection-watch.ts';
import { Exchange, type PortState, type RequestObserver } from './exchange.ts';
import { answerFailure, type HttpLog } from './failure.ts';
import { requestIdOf } from './request-id.ts';

/**
 * One port: the node:http server in front of an API, its time limits, and its end.
 *
 * Every client is cut off that does not get its request across, or its answer taken, in time. Closing stops
 * accepting, lets what is under way be answered with `Connection: close`, and then closes by force.
 */
export class HttpServer {
  readonly #options: HttpServerOptions;
  readonly #server: Server;
  readonly #connections: ConnectionWatch;
  readonly #state: PortState;

  constructor(options: HttpServerOptions) {
    this.#options = options;
    const { limits } = options;
    this.#state = {
      isDraining: false,
      observer: options.observer,
      socketTimeoutMs: limits.socketTimeoutMs,
    };
    this.#server = createServer({
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      // ConnectionWatch closes idle connections.
      keepAliveTimeout: 0,
      connectionsCheckingInterval: limits.checkEveryMs,
      maxHeaderSize: limits.headerBytesMax,
      // Answered here, as every other fault is (#onRequest).
      requireHostHeader: false,
      noDelay: true,
    });
    this.#server.maxConnections = limits.connectionsMax;
    // A client may shut its side down when it has sent its request, and still wants the answer. Node has had
    // this property since 0.x and leaves it out of its types.
    Object.assign(this.#server, { httpAllowHalfOpen: true });
    this.#connections = new ConnectionWatch(limits.keepAliveTimeoutMs, limits.responseTimeoutMs);
    this.#listen();
  }

  /** Resolves with the port that was taken. */
  listen(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, () => {
        this.#server.off('error', reject);
        this.#connections.start(this.#options.limits.checkEveryMs);
        resolve((this.#server.address() as AddressInfo).port);
      });
    });
  }

  /** Open now. */
  get connections(): number {
    return this.#connections.size;
  }

  /** Resolves when every connection is gone: those under way at the latest after `graceMs`. */
  async close(graceMs: number): Promise<void> {
    this.#state.isDraining = true;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#connections.closeSilent();
    const force = setTimeout(() => this.#server.closeAllConnections(), graceMs);
    await closed;
    clearTimeout(force);
    this.#connections.stop();
  }

  #listen(): void {
    const server = this.#server;
    const onRequest = (incoming: IncomingMessage, outgoing: ServerResponse) =>
      this.#onRequest(incoming, outgoing);
    server.on('request', onRequest);
    // The 100 is sent by whoever reads the body, after all that can be refused without it.
    server.on('checkContinue', onRequest);
    server.on('checkExpectation', onRequest);
    server.on('clientError', answerClientError);
    server.on('connection', (socket) => this.#connections.add(socket));
  }

  #onRequest(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const requestId = requestIdOf(incoming.headers['x-request-id']);
    const exchange = new Exchange(incoming, outgoing, requestId, this.#state);
    if (incoming.headers.host === undefined && incoming.httpVersion === '1.1') {
      return exchange.sendProblem(missingHost);
    }
    try {
      this.#options.handler(exchange);
    } catch (error) {
      answerFailure(exchange, this.#options.log, error);
    }
  }
}

export interface HttpServerOptions {
  readonly handler: RequestHandler;
  readonly limits: ServerLimits;
  readonly observer: RequestObserver;
  readonly log: HttpLog;
}

export interface ServerLimits {
  /** From the first byte, or from connecting, to the end of the headers. */
  readonly headersTimeoutMs: number;
  /** To the end of the body. */
  readonly requestTimeoutMs: number;
  /** Between two requests of a connection. */
  readonly keepAliveTimeoutMs: number;
  /** For a client to take at least something of an answer that did not go out at once. */
  readonly socketTimeoutMs: number;
  /** For a client that takes it bit by bit to take all of it. */
  readonly responseTimeoutMs: number;
  /** How often the limits are looked at: they are kept to within this. */
  readonly checkEveryMs: number;
  readonly headerBytesMax: number;
  /** Further ones are closed as they come. */
  readonly connectionsMax: number;
}

export const serverLimits: ServerLimits = {
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 15_000,
  keepAliveTimeoutMs: 65_000,
  socketTimeoutMs: 30_000,
  responseTimeoutMs: 60_000,
  checkEveryMs: 1_000,
  headerBytesMax: 16 * 1024,
  connectionsMax: 20_000,
};

const missingHost = invalidRequest([{ path: 'Host', message: 'is missing' }]);
