import { Agent, type IncomingHttpHeaders, request } from 'node:http';
import { connect, type Socket } from 'node:net';

export interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  readonly text: string;
  /** Of a JSON body. */
  readonly json: Record<string, unknown>;
}

export interface Call {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON with its content type. */
  readonly body?: string | Buffer | object;
  readonly agent?: Agent;
}

/** One request on a connection of its own, unless an agent is given. */
export function call(port: number, path: string, options: Call = {}): Promise<Answered> {
  const { method = 'GET', body, agent = new Agent({ keepAlive: false }) } = options;
  const isJson = typeof body === 'object' && !Buffer.isBuffer(body);
  const headers = { ...(isJson && { 'content-type': 'application/json' }), ...options.headers };
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port, path, method, headers, agent }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('error', reject);
      incoming.on('end', () => {
        const bytes = Buffer.concat(chunks);
        resolve(toAnswered(incoming.statusCode ?? 0, incoming.headers, bytes));
      });
    });
    outgoing.on('error', reject);
    outgoing.end(isJson ? JSON.stringify(body) : body);
  });
}

const toAnswered = (status: number, headers: IncomingHttpHeaders, bytes: Buffer): Answered => ({
  status,
  headers,
  bytes,
  text: bytes.toString('utf8'),
  get json() {
    return JSON.parse(bytes.toString('utf8')) as Record<string, unknown>;
  },
});

/** A bare connection: what is written is what the server gets, byte for byte. */
export class RawConnection {
  readonly socket: Socket;
  received = '';
  readonly #closed: Promise<void>;

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.setEncoding('latin1');
    this.socket.on('data', (text: string) => {
      this.received += text;
    });
    this.socket.on('error', () => {});
    this.#closed = new Promise((resolve) => this.socket.once('close', () => resolve()));
  }

  write(text: string): void {
    this.socket.write(text, 'latin1');
  }

  /** Everything that came until the server closed the connection. */
  async untilClosed(): Promise<string> {
    await this.#closed;
    return this.received;
  }

  /** Resolves when what came so far matches. */
  async until(pattern: RegExp): Promise<string> {
    while (!pattern.test(this.received)) {
      await new Promise((resolve) => this.socket.once('data', resolve));
    }
    return this.received;
  }
}
