import {
  Agent,
  type ClientRequest,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';

/**
 * The HTTP client under Stripe's SDK. The SDK's own sends a request again when its connection was closed, even
 * where retries are off: "refused" on the second attempt would then hide that the first one may have charged.
 * This one sends once, and tells of a failure whether the request may have left.
 *
 * C1 A failure with `mayHaveArrived: false` is certain: no connection was made, TLS included.
 * C2 The time limit covers the call as a whole, however slowly an answer drips in.
 * C3 An answer that repeats another Idempotency-Key than the request's is somebody else's (a stray second
 *    answer on a connection that was kept): the connection is closed, and what came of the request is unknown.
 */
export class OneAttemptClient {
  readonly #agents: { readonly http: Agent; readonly https: Agent };

  /** @param connectionsMax open to the gateway at once. */
  constructor(connectionsMax: number) {
    const options = { keepAlive: true, maxSockets: connectionsMax, timeout: idleConnectionMs };
    this.#agents = { http: new Agent(options), https: new HttpsAgent(options) };
  }

  getClientName(): string {
    return 'node';
  }

  /** @throws ExchangeFailed, and nothing else. */
  makeRequest(
    host: string,
    port: string,
    path: string,
    method: string,
    headers: Record<string, string | number | string[]>,
    requestData: string,
    protocol: string,
    timeout: number,
  ): Promise<ReceivedAnswer> {
    const { promise, resolve, reject } = Promise.withResolvers<ReceivedAnswer>();
    const isSecure = protocol !== 'http';
    const send = isSecure ? httpsRequest : httpRequest;
    const agent = isSecure ? this.#agents.https : this.#agents.http;
    let request: ClientRequest;
    try {
      request = send({ host, port, path, method, headers, agent });
    } catch (error) {
      // A header or a port that there can't be, such as that of an API key with a line's end in it.
      const reason = (error as NodeJS.ErrnoException).code ?? "the request can't be made";
      return Promise.reject(new ExchangeFailed(reason, false));
    }
    let mayHaveArrived = false;
    watchConnection(request, isSecure ? 'secureConnect' : 'connect', () => {
      mayHaveArrived = true;
    });
    const fail = (reason: string) => {
      clearTimeout(timer);
      reject(new ExchangeFailed(reason, mayHaveArrived));
      request.destroy();
    };
    const timer = setTimeout(() => fail('no answer in time'), timeout);
    request.on('error', (error: NodeJS.ErrnoException) => fail(error.code ?? 'connection error'));
    request.once('response', (response) => {
      const repeated = response.headers['idempotency-key'];
      if (repeated !== undefined && repeated !== keyOf(headers)) return fail('the answer to another request');
      receive(response, fail, (answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
    });
    request.end(requestData);
    return promise;
  }
}

/** Before servers commonly close a connection that is idle: a request must not meet the closing. */
const idleConnectionMs = 4_000;

/** Stripe's objects have a few kB. */
const answerBytesMax = 1024 * 1024;

export class ExchangeFailed extends Error {
  override name = 'ExchangeFailed';
  /** An error code or words of our own: nothing of the request. Not `code`: the SDK acts on that. */
  readonly reason: string;
  readonly mayHaveArrived: boolean;

  constructor(reason: string, mayHaveArrived: boolean) {
    super(reason);
    this.reason = reason;
    this.mayHaveArrived = mayHaveArrived;
  }
}

/** An answer that is here in full, as the SDK wants to see it. */
class ReceivedAnswer {
  readonly #status: number;
  readonly #headers: IncomingHttpHeaders;
  readonly #body: string;

  constructor(status: number, headers: IncomingHttpHeaders, body: string) {
    this.#status = status;
    this.#headers = headers;
    this.#body = body;
  }

  getStatusCode(): number {
    return this.#status;
  }

  getHeaders(): Record<string, string> {
    return this.#headers as Record<string, string>;
  }

  /** The SDK writes on it. */
  getRawResponse(): unknown {
    return {};
  }

  toStream(): never {
    throw new Error('answers are not streamed');
  }

  async toJSON(): Promise<unknown> {
    return JSON.parse(this.#body);
  }
}

function watchConnection(
  request: ClientRequest,
  madeEvent: 'connect' | 'secureConnect',
  onMade: () => void,
): void {
  request.once('socket', (socket) => {
    if (request.reusedSocket || !socket.connecting) onMade();
    else socket.once(madeEvent, onMade);
  });
}

function receive(
  response: IncomingMessage,
  fail: (reason: string) => void,
  succeed: (answer: ReceivedAnswer) => void,
): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > answerBytesMax) fail('the answer is too large');
    else chunks.push(chunk);
  });
  response.on('error', () => fail('the answer broke off'));
  response.on('close', () => {
    if (!response.complete) fail('the answer broke off');
  });
  response.on('end', () => {
    if (!response.complete) return;
    const body = Buffer.concat(chunks).toString('utf8');
    succeed(new ReceivedAnswer(response.statusCode ?? 0, response.headers, body));
  });
}

const keyOf = (headers: Record<string, unknown>): unknown => headers['Idempotency-Key'];
