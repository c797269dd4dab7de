import { createServer, type Server, type Socket } from 'node:net';

/** The raw reply to a command; undefined: none, ever. */
export type Answering = (words: readonly string[]) => string | undefined;

export const nil = '$-1\r\n';
export const ok = '+OK\r\n';
export const bulk = (text: string): string => `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
export const refusal = (message: string): string => `-${message}\r\n`;

/** What answers where a test says nothing: a Redis that has just started and has nothing. */
const emptyRedis: Answering = ([command = '']) => {
  switch (command.toLowerCase()) {
    case 'info':
      return bulk('loading:0\r\n');
    case 'ping':
      return '+PONG\r\n';
    case 'get':
      return nil;
    default:
      return ok;
  }
};

/**
 * A server that speaks as much of Redis' protocol as a client needs to get on, and answers, hesitates or keeps
 * silent as a test tells it to.
 */
export class RespServer {
  /** Of all connections, in order, as words; the greeting of a connection is left out. */
  readonly commands: (readonly string[])[] = [];
  /** How many chunks of input came with commands of the test. */
  writes = 0;
  connections = 0;
  answer: Answering = emptyRedis;
  /** Every reply comes so much later. */
  delayMs = 0;
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  #held: (() => void)[] | undefined;

  private constructor() {
    this.#server = createServer((socket) => this.#serve(socket));
  }

  static async listen(port = 0): Promise<RespServer> {
    const server = new RespServer();
    await new Promise<void>((resolve) => server.#server.listen(port, '127.0.0.1', resolve));
    return server;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('it listens to a port');
    return address.port;
  }

  /** From now on replies are kept back. */
  hold(): void {
    this.#held ??= [];
  }

  /** Sends what was kept back, in order. */
  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const send of held) send();
  }

  /** Ends the connections that there are; new ones are taken. */
  drop(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.drop();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #serve(socket: Socket): void {
    this.connections += 1;
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => {});
    let input = '';
    socket.on('data', (chunk) => {
      input += chunk.toString();
      let isOfTest = false;
      for (;;) {
        const parsed = parseCommand(input);
        if (parsed === undefined) break;
        input = input.slice(parsed.length);
        if (!/^(info|client|auth|select)$/i.test(parsed.words[0] ?? '')) {
          this.commands.push(parsed.words);
          isOfTest = true;
        }
        this.#reply(socket, this.answer(parsed.words));
      }
      if (isOfTest) this.writes += 1;
    });
  }

  #reply(socket: Socket, reply: string | undefined): void {
    if (reply === undefined) return;
    const send = () => void (socket.writable && socket.write(reply));
    if (this.#held !== undefined) this.#held.push(send);
    else if (this.delayMs > 0) setTimeout(send, this.delayMs);
    else send();
  }
}

/** Answers of a test for what it names, and those of an empty Redis for the rest. */
export const otherwiseEmpty =
  (answer: Answering): Answering =>
  (words) =>
    answer(words) ?? emptyRedis(words);

function parseCommand(
  input: string,
): { readonly words: readonly string[]; readonly length: number } | undefined {
  const head = /^\*(\d+)\r\n/.exec(input);
  if (head === null) return undefined;
  let at = head[0].length;
  const words: string[] = [];
  for (let word = 0; word < Number(head[1]); word++) {
    const size = /^\$(\d+)\r\n/.exec(input.slice(at));
    if (size === null) return undefined;
    const begin = at + size[0].length;
    const end = begin + Number(size[1]);
    if (input.length < end + 2) return undefined;
    words.push(input.slice(begin, end));
    at = end + 2;
  }
  return { words, length: at };
}
