import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { onFreePorts } from './free-port.ts';
import { MysqlStatements } from './mysql-statements.ts';
import { ProxiedFlow } from './proxied-flow.ts';

/**
 * Where a connection is cut: the server never hears of the COMMIT, or it has committed and its client never
 * hears of that. To the client both look the same.
 */
export type CutPoint = 'before-commit' | 'before-answer';

interface PlannedCut {
  readonly at: CutPoint;
  readonly statement: RegExp;
}

const commitStatement = /^\s*commit\s*;?\s*$/i;

/**
 * Stands between a client and a MySQL server, on a loopback port of its own, and does what networks do. It
 * reads what clients send, which must be without TLS and compression, one command after the other.
 */
export class MysqlCuttingProxy {
  /** The server's URL by way of this proxy. */
  readonly url: string;
  /** For what the server answers on all connections. Default 0. */
  delayAnswersMs = 0;
  readonly #target: { readonly host: string; readonly port: number };
  readonly #port: number;
  readonly #connections = new Set<ProxiedConnection>();
  #listener: Server;
  #plannedCut: PlannedCut | undefined;
  #isHanging = false;
  #cuts = 0;

  private constructor(serverUrl: string, port: number, listener: Server) {
    const { hostname, port: serverPort } = new URL(serverUrl);
    this.#target = { host: hostname, port: Number(serverPort || 3306) };
    this.#port = port;
    this.url = onPort(serverUrl, port);
    this.#listener = this.#serving(listener);
  }

  static async start(serverUrl: string): Promise<MysqlCuttingProxy> {
    return onFreePorts(
      1,
      async ([port = 0]) => new MysqlCuttingProxy(serverUrl, port, await listening(port)),
    );
  }

  /** Another database's URL on the same server, by way of this proxy. */
  urlOf(serverUrl: string): string {
    return onPort(serverUrl, this.#port);
  }

  /** Connections that were cut at a statement. */
  get cuts(): number {
    return this.#cuts;
  }

  /** Connections that are open. */
  get connections(): number {
    return this.#connections.size;
  }

  /**
   * The next connection on which this statement comes is cut there, both ends at once; those after it are
   * not. `statement` is matched with the whole text of a query, of which only short ones are looked at.
   */
  cutAtNextCommit(at: CutPoint, statement: RegExp = commitStatement): void {
    this.#plannedCut = { at, statement };
  }

  /** New connections are refused, as by a server that is down; open ones stay. */
  async refuseConnections(isRefusing: boolean): Promise<void> {
    if (isRefusing === !this.#listener.listening) return;
    if (isRefusing) this.#listener.close();
    else this.#listener = this.#serving(await listening(this.#port));
  }

  /** Nothing is passed on in either direction, not even the end of a connection, and nothing is lost. */
  hang(isHanging: boolean): void {
    this.#isHanging = isHanging;
    for (const connection of this.#connections) connection.hang(isHanging);
  }

  /** All that are open now. They don't count as `cuts`. */
  cutAll(): void {
    for (const connection of this.#connections) connection.cut();
  }

  async stop(): Promise<void> {
    await this.refuseConnections(true);
    this.cutAll();
  }

  #serving(listener: Server): Server {
    return listener.on('connection', (client: Socket) => {
      const connection = new ProxiedConnection(client, connect({ ...this.#target, allowHalfOpen: true }), {
        plannedCut: (statement) => this.#takePlannedCut(statement),
        answerDelayMs: () => this.delayAnswersMs,
        onCut: () => {
          this.#cuts += 1;
        },
        onEnd: () => this.#connections.delete(connection),
      });
      connection.hang(this.#isHanging);
      this.#connections.add(connection);
    });
  }

  #takePlannedCut(statement: string): CutPoint | undefined {
    const planned = this.#plannedCut;
    if (planned?.statement.test(statement) !== true) return undefined;
    this.#plannedCut = undefined;
    return planned.at;
  }
}

interface Surroundings {
  /** Where this statement is to be cut, if it is; the plan is then used up. */
  plannedCut(statement: string): CutPoint | undefined;
  answerDelayMs(): number;
  onCut(): void;
  onEnd(): void;
}

class ProxiedConnection {
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #questions: ProxiedFlow;
  readonly #answers: ProxiedFlow;
  readonly #surroundings: Surroundings;
  readonly #statements = new MysqlStatements();
  #isCutAtAnswer = false;

  constructor(client: Socket, server: Socket, surroundings: Surroundings) {
    this.#client = client;
    this.#server = server;
    this.#surroundings = surroundings;
    this.#questions = new ProxiedFlow(client, server);
    this.#answers = new ProxiedFlow(server, client);
    // As the client itself does: a COMMIT need not wait for the acknowledgement of what came before it.
    for (const socket of [client, server]) socket.setNoDelay(true);
    client.on('data', (chunk: Buffer) => this.#onQuestion(chunk));
    server.on('data', (chunk: Buffer) => this.#onAnswer(chunk));
    client.on('end', () => this.#questions.put('end', 0));
    server.on('end', () => this.#answers.put('end', surroundings.answerDelayMs()));
    client.on('error', () => this.#questions.put('reset', 0));
    server.on('error', () => this.#answers.put('reset', surroundings.answerDelayMs()));
    for (const socket of [client, server]) socket.on('close', () => this.#onClose());
  }

  hang(isHanging: boolean): void {
    this.#questions.hang(isHanging);
    this.#answers.hang(isHanging);
  }

  cut(): void {
    this.#questions.drop();
    this.#answers.drop();
    this.#client.destroy();
    this.#server.destroy();
  }

  #onQuestion(chunk: Buffer): void {
    for (const { bytes, statement } of this.#statements.take(chunk)) {
      const cut = statement === undefined ? undefined : this.#surroundings.plannedCut(statement);
      if (cut === 'before-commit') return this.#cutHere();
      if (cut === 'before-answer') this.#isCutAtAnswer = true;
      this.#questions.put(bytes, 0);
    }
  }

  #onAnswer(chunk: Buffer): void {
    if (this.#isCutAtAnswer) this.#cutHere();
    else this.#answers.put(chunk, this.#surroundings.answerDelayMs());
  }

  #cutHere(): void {
    this.#surroundings.onCut();
    this.cut();
  }

  #onClose(): void {
    if (this.#client.destroyed && this.#server.destroyed) this.#surroundings.onEnd();
  }
}

async function listening(port: number): Promise<Server> {
  const server = createServer({ allowHalfOpen: true });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

function onPort(serverUrl: string, port: number): string {
  const url = new URL(serverUrl);
  url.host = `127.0.0.1:${port}`;
  return url.href;
}
