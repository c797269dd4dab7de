import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ApiReply, type ApiRequest, SandboxApi } from './sandbox-api.ts';
import { SandboxMemory } from './sandbox-memory.ts';
import { SandboxWeather } from './sandbox-weather.ts';

export interface SandboxGateway {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * A card gateway for trials: Stripe's calls under /v1, and under /sandbox what a trial wants to turn and to
 * look at. Everything is bounded, and in memory unless it has a file. Whoever reaches it may do everything:
 * leave it on loopback.
 *
 * @throws SandboxFileError, or what node:net says of the port.
 */
export async function startSandboxGateway({
  host = '127.0.0.1',
  port,
  file,
}: SandboxOptions): Promise<SandboxGateway> {
  const memory = new SandboxMemory(file);
  const sandbox = new SandboxServer(memory);
  const taken = await sandbox.listen(host, port).catch((error: unknown) => {
    memory.close();
    throw error;
  });
  return { url: `http://${host.includes(':') ? `[${host}]` : host}:${taken}`, close: () => sandbox.close() };
}

interface SandboxOptions {
  /** 127.0.0.1. */
  readonly host?: string;
  /** 0 for a free one. */
  readonly port: number;
  /**
   * Keeps charges, refunds and idempotency keys for the next start, whenever the process ends; one sandbox at
   * a time. Without it they are forgotten. Its directory has to be there.
   */
  readonly file?: string;
}

/** As lines of a command's help. */
export const sandboxCallsHelp: readonly string[] = [
  '  POST /sandbox/down {"seconds":S}   breaks every connection, until then or until it is up again',
  '  POST /sandbox/up                   is there again',
  '  POST /sandbox/delay {"ms":N}       answers every call N milliseconds later',
  '  GET  /sandbox/charges              what was charged and given back; ?paymentId=ID of one payment',
];

class SandboxServer {
  readonly #memory: SandboxMemory;
  readonly #api: SandboxApi;
  readonly #weather = new SandboxWeather(() => this.#breakOff());
  readonly #server: Server;
  /** Connections with a call of Stripe's under way. */
  readonly #busy = new Set<Socket>();

  constructor(memory: SandboxMemory) {
    this.#memory = memory;
    this.#api = new SandboxApi(memory);
    this.#server = createServer((incoming, outgoing) => {
      // A client that went away in the middle of its request.
      this.#serve(incoming, outgoing).catch(() => incoming.socket.destroy());
    });
    this.#server.maxConnections = connectionsMax;
  }

  listen(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, () => {
        this.#server.off('error', reject);
        resolve((this.#server.address() as AddressInfo).port);
      });
    });
  }

  /** At once: what is under way breaks off. */
  close(): Promise<void> {
    this.#weather.up();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    this.#memory.close();
    return closed;
  }

  #breakOff(): void {
    for (const socket of this.#busy) socket.destroy();
  }

  async #serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(incoming.url ?? '/', 'http://sandbox');
    const isSandboxCall = pathname.startsWith('/sandbox/');
    if (!isSandboxCall) {
      if (this.#weather.isDown) return void incoming.socket.destroy();
      this.#busy.add(incoming.socket);
      outgoing.once('close', () => this.#busy.delete(incoming.socket));
    }
    const body = await readBody(incoming);
    if (body === undefined) return sendJson(outgoing, 413, { error: { message: 'The body is too large.' } });
    if (isSandboxCall) return this.#turn(pathname, searchParams, incoming, outgoing, body);
    if (this.#weather.delayMs > 0) await sleep(this.#weather.delayMs, undefined, { ref: false });
    await this.#callApi(requestOf(incoming, pathname, searchParams, body), incoming, outgoing);
  }

  async #callApi(request: ApiRequest, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const outcome = await this.#api.handle(request);
    if (outcome.kind === 'drop') incoming.socket.destroy();
    else if (outcome.kind === 'hang') {
      if (outgoing.closed) outcome.release();
      else outgoing.once('close', outcome.release);
    } else {
      const [reply, again] = outcome.replies;
      if (reply === undefined) return;
      const { socket } = incoming;
      outgoing.writeHead(reply.status, headersOf(reply, request.key)).end(reply.body, () => {
        if (again !== undefined && socket.writable) socket.write(rawAnswer(again, request.key));
      });
    }
  }

  #turn(
    path: string,
    query: URLSearchParams,
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    body: string,
  ): void {
    if (incoming.method === 'GET' && path === '/sandbox/charges') {
      return sendJson(outgoing, 200, { charges: this.#charges(query.get('paymentId')) });
    }
    const command = path.slice('/sandbox/'.length);
    if (incoming.method !== 'POST' || !commands.includes(command)) {
      return sendJson(outgoing, 404, { error: { message: 'There is no such call.' } });
    }
    if (!this.#weather.change(command, parseJson(body))) {
      return sendJson(outgoing, 400, { error: { message: 'The body is not what this call takes.' } });
    }
    const { isDown, delayMs } = this.#weather;
    sendJson(outgoing, 200, { down: isDown, delayMs });
  }

  #charges(paymentId: string | null): readonly object[] {
    return Array.from(this.#memory.account.intents)
      .filter(({ isCharged }) => isCharged)
      .map(({ intentId, metadata, amount, currency, refund }) => ({
        paymentIntentId: intentId,
        paymentId: metadata['paymentId'] ?? null,
        amount,
        currency,
        refunded: refund !== undefined,
        refunds: refund === undefined ? [] : [{ refundId: refund.refundId, amount: refund.amount }],
      }))
      .filter((charge) => paymentId === null || charge.paymentId === paymentId);
  }
}

const commands: readonly string[] = ['down', 'up', 'delay'];
const connectionsMax = 10_000;
const bodyBytesMax = 64 * 1024;

/** Undefined for one that is too large; the rest of it is left unread. */
async function readBody(incoming: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bodyBytesMax) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function requestOf(
  incoming: IncomingMessage,
  path: string,
  query: URLSearchParams,
  body: string,
): ApiRequest {
  const key = incoming.headers['idempotency-key'];
  return {
    method: incoming.method ?? 'GET',
    path,
    form: incoming.method === 'GET' ? query : new URLSearchParams(body),
    isAuthorized: /^(Bearer|Basic) \S/.test(incoming.headers.authorization ?? ''),
    key: typeof key === 'string' && key.length <= 255 ? key : undefined,
  };
}

/** An empty body is an empty object. */
function parseJson(body: string): unknown {
  try {
    return JSON.parse(body === '' ? '{}' : body);
  } catch {
    return undefined;
  }
}

function sendJson(outgoing: ServerResponse, status: number, value: unknown): void {
  const body = JSON.stringify(value);
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  outgoing.writeHead(status, status === 413 ? { ...headers, connection: 'close' } : headers).end(body);
}

const headersOf = (reply: ApiReply, key: string | undefined): Record<string, string | number> => ({
  'content-type': 'application/json',
  'content-length': Buffer.byteLength(reply.body),
  ...(key === undefined ? {} : { 'idempotency-key': key }),
  ...(reply.isReplay ? { 'idempotent-replayed': 'true' } : {}),
});

/** The same on the bare connection: nobody asked for it, so node:http has no response for it. */
function rawAnswer(reply: ApiReply, key: string | undefined): string {
  const headers = Object.entries(headersOf(reply, key)).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${reply.status} ${STATUS_CODES[reply.status]}\r\n${headers.join('')}\r\n${reply.body}`;
}
