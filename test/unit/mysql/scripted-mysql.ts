import { once } from 'node:events';
import type { AddressInfo, Server as NetServer, Socket } from 'node:net';
import { createServer } from 'mysql2';

type Answer =
  | 'ok'
  | 'nothing'
  | 'cut'
  | { readonly okAfterMs: number }
  | { readonly errno: number; readonly message: string };

/** What mysql2's typings leave out of the server's end of a connection. */
interface ServedConnection extends NodeJS.EventEmitter {
  readonly stream: Socket;
  /** Of the next packet; mysql2 does not begin anew with each command here. */
  sequenceId: number;
  serverHandshake(hello: object): void;
  writeOk(): void;
  writeError(error: { code: number; message: string }): void;
}

/** The least of a MySQL server: it lets everybody in, and answers each statement as a test says. */
export class ScriptedMySql {
  readonly statements: string[] = [];
  answer: (statement: string) => Answer = () => 'ok';
  /** In place of hello. */
  refusal: { readonly code: number; readonly message: string } | undefined;
  opened = 0;
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer((connection: unknown) => this.#serve(connection as ServedConnection));
  #url = '';

  static async start(): Promise<ScriptedMySql> {
    const scripted = new ScriptedMySql();
    const net = (scripted.#server as unknown as { readonly _server: NetServer })._server;
    net.listen(0, '127.0.0.1');
    await once(net, 'listening');
    scripted.#url = `mysql://usher:secret@127.0.0.1:${(net.address() as AddressInfo).port}/usher`;
    return scripted;
  }

  get url(): string {
    return this.#url;
  }

  get connections(): number {
    return this.#sockets.size;
  }

  /** All that are open now. */
  cutAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  stop(): void {
    this.cutAll();
    this.#server.close(() => {});
  }

  #serve(connection: ServedConnection): void {
    this.opened += 1;
    const { stream } = connection;
    this.#sockets.add(stream);
    stream.on('close', () => this.#sockets.delete(stream));
    connection.on('error', () => {});
    if (this.refusal !== undefined) {
      connection.writeError(this.refusal);
      stream.end();
      return;
    }
    connection.serverHandshake({
      protocolVersion: 10,
      serverVersion: '8.4.0',
      connectionId: this.opened,
      statusFlags: 2,
      characterSet: 8,
      // Neither TLS nor compression.
      capabilityFlags: 0xffffff ^ 0x800 ^ 0x20,
      authCallback: (_: unknown, done: (error: null) => void) => {
        done(null);
        connection.sequenceId = 0;
      },
    });
    // It takes a SET for the making of a prepared statement.
    for (const event of ['query', 'stmt_prepare']) {
      connection.on(event, (statement: string) => this.#answer(connection, statement));
    }
  }

  #answer(connection: ServedConnection, statement: string): void {
    this.statements.push(statement);
    const answer = this.answer(statement);
    if (answer === 'nothing') return;
    if (answer === 'cut') connection.stream.destroy();
    else if (answer === 'ok') inStep(connection, () => connection.writeOk());
    else if ('okAfterMs' in answer)
      setTimeout(() => inStep(connection, () => connection.writeOk()), answer.okAfterMs);
    else inStep(connection, () => connection.writeError({ code: answer.errno, message: answer.message }));
  }
}

function inStep(connection: ServedConnection, write: () => void): void {
  connection.sequenceId = 1;
  write();
  connection.sequenceId = 0;
}
