import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** What a load balancer sees of a node: /readyz, and one answer to everything else. */
export class LoadBalancedNode {
  isReady = true;
  /** Requests that reached it, /readyz not counted. */
  readonly requests: { readonly method: string; readonly requestId: string }[] = [];
  /** Connections on which they came. */
  readonly connections = new Set<Socket>();
  readonly #server: Server;
  readonly #usual: Answer = (_, response) => response.end('{}');
  #answer = this.#usual;

  private constructor() {
    this.#server = createServer({ keepAliveTimeout: 65_000 }, (request, response) => {
      if (request.url === '/readyz') {
        response.writeHead(this.isReady ? 200 : 503).end();
        return;
      }
      this.requests.push({ method: `${request.method}`, requestId: `${request.headers['x-request-id']}` });
      this.connections.add(request.socket);
      this.#answer(request, response);
    });
  }

  static async start(): Promise<LoadBalancedNode> {
    const node = new LoadBalancedNode();
    const { promise, resolve } = Promise.withResolvers<void>();
    node.#server.listen(0, '127.0.0.1', resolve);
    await promise;
    return node;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** How it answers from now on; without one, 200. */
  answerWith(answer: Answer = this.#usual): void {
    this.#answer = answer;
  }

  /** At once, as a process that is killed. */
  kill(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
