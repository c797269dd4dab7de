import { createServer, type Server, type Socket } from 'node:net';

/** A server that answers each request with the next of its lines, byte by byte as they are written. */
export class ScriptedPeer {
  readonly port: number;
  /** Heads of the requests, as they came. */
  readonly requests: string[] = [];
  readonly #server: Server;
  readonly #sockets: Set<Socket>;

  private constructor(server: Server, sockets: Set<Socket>, port: number) {
    this.#server = server;
    this.#sockets = sockets;
    this.port = port;
  }

  /** @param answer is called once a request, whose body is in the same packet. */
  static async start(answer: (socket: Socket, request: string) => void): Promise<ScriptedPeer> {
    const sockets = new Set<Socket>();
    let peer: ScriptedPeer | undefined;
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => sockets.delete(socket));
      socket.on('data', (data) => {
        peer?.requests.push(data.toString());
        answer(socket, data.toString());
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    peer = new ScriptedPeer(server, sockets, (server.address() as { port: number }).port);
    return peer;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}

export function httpAnswer(status: number, body: unknown, headers: Record<string, string> = {}): string {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const lines = Object.entries({ 'content-length': `${Buffer.byteLength(text)}`, ...headers });
  return `HTTP/1.1 ${status} Said\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${text}`;
}
