import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** Joins a socket to a port on loopback, as a relay between two nodes. */
export function passOn(socket: Socket, port: number): void {
  const onwards = connect(port, '127.0.0.1');
  socket.pipe(onwards).pipe(socket);
  for (const [end, other] of [
    [socket, onwards],
    [onwards, socket],
  ] as const) {
    end.on('error', () => {});
    end.on('close', () => other.destroy());
  }
}

/** Something else than a node, on a loopback port. */
export class TcpListener implements AsyncDisposable {
  readonly #server: Server;
  readonly sockets = new Set<Socket>();
  address = '';

  private constructor(onSocket: (socket: Socket) => void) {
    this.#server = createServer((socket) => {
      this.sockets.add(socket);
      socket.on('error', () => {});
      onSocket(socket);
    });
  }

  static async start(onSocket: (socket: Socket) => void): Promise<TcpListener> {
    const listener = new TcpListener(onSocket);
    listener.#server.listen(0, '127.0.0.1');
    await once(listener.#server, 'listening');
    const bound = listener.#server.address();
    if (bound === null || typeof bound === 'string') throw new Error('no port');
    listener.address = `127.0.0.1:${bound.port}`;
    return listener;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve));
  }
}
