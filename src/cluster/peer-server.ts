import type { AddressInfo, Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { Clock } from '../actors/runtime/ports.ts';
import { type ChannelLimits, channelLimits } from './channel-limits.ts';
import { clusterKey, pskIdentity, pskTls } from './cluster-key.ts';
import { connectionFault } from './connection-fault.ts';
import type { FramedSocket } from './framed-socket.ts';
import { greet } from './greeting.ts';
import type { PeerIdentity } from './hello.ts';
import { type PeerNotice, PeerNotices } from './peer-notices.ts';
import type { AcceptChannel } from './transport.ts';

/**
 * The internal port: takes channels from other nodes (tls-transport.ts). Only who has the cluster's key gets as far
 * as a hello; everybody else is cut off, with a notice, and has cost a handshake.
 */
export class PeerServer {
  readonly #limits: ChannelLimits;
  readonly #notices: PeerNotices;
  readonly #server: Server;
  /** Every connection, also those that have not got through the handshake. */
  readonly #sockets = new Set<Socket>();
  readonly #channels = new Set<FramedSocket>();
  #serving: { readonly self: PeerIdentity; readonly accept: AcceptChannel } | undefined;

  constructor(options: PeerServerOptions) {
    this.#limits = { ...channelLimits, ...options.limits };
    this.#notices = new PeerNotices(options.clock, options.onNotice);
    const key = clusterKey(options.secret);
    this.#server = createServer({
      ...pskTls,
      handshakeTimeout: this.#limits.greetingMaxMs,
      pskCallback: (_socket, identity) => (identity === pskIdentity ? key : null),
    });
    this.#server.maxConnections = options.connectionsMax ?? 2_000;
    this.#listen();
  }

  /** Resolves with the port that was taken. Who connects before `serve` is sent away. */
  listen(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, () => {
        this.#server.off('error', reject);
        this.#server.on('error', (error) =>
          this.#notices.warn(`The internal port has failed: ${error.message}`),
        );
        resolve((this.#server.address() as AddressInfo).port);
      });
    });
  }

  /** From now on; apart from `listen` because the port is part of the node's own name. */
  serve(self: PeerIdentity, accept: AcceptChannel): void {
    this.#serving = { self, accept };
  }

  /** Takes nobody any more. Resolves when all are gone: at the latest, ended from here, soon after `graceMs`. */
  async close(graceMs: number): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    const end = setTimeout(() => {
      for (const channel of this.#channels) channel.close('closed by this node');
    }, graceMs);
    const force = setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy();
    }, graceMs + this.#limits.lingerMs);
    await closed;
    clearTimeout(end);
    clearTimeout(force);
  }

  #listen(): void {
    const server = this.#server;
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    server.on('secureConnection', (socket) => this.#greet(socket));
    server.on('tlsClientError', (error, socket) => {
      // Where a socket says nothing, Node leaves it open.
      socket.destroy();
      // Somebody has connected and left: a port scan, or a probe of a load balancer.
      if ((error as NodeJS.ErrnoException).code === 'ECONNRESET') return;
      this.#warn(socket.remoteAddress, connectionFault(error));
    });
    server.on('drop', () =>
      this.#notices.warn('A connection to the internal port was refused: there are too many'),
    );
  }

  #greet(socket: TLSSocket): void {
    const serving = this.#serving;
    if (serving === undefined) {
      socket.on('error', () => {});
      return void socket.destroy();
    }
    const from = socket.remoteAddress;
    const { greetingMaxMs } = this.#limits;
    const timer = setTimeout(
      () => frames.destroy(`it does not greet within ${greetingMaxMs} ms`),
      greetingMaxMs,
    );
    socket.on('close', () => {
      clearTimeout(timer);
      this.#channels.delete(frames);
      // The other end does not know why, nor does whoever was served on the channel tell.
      if (frames.cutOffFor !== undefined) this.#warn(from, frames.cutOffFor);
    });
    const frames = greet(socket, {
      self: serving.self,
      limits: this.#limits,
      onChannel: (channel) => {
        clearTimeout(timer);
        return serving.accept(channel);
      },
      onRefusal: (reason) => this.#warn(from, reason),
    });
    this.#channels.add(frames);
  }

  /** @param from undefined: it had left by then. */
  #warn(from: string | undefined, reason: string): void {
    this.#notices.warn(`A connection to the internal port from ${from ?? 'somebody'} has failed: ${reason}`);
  }
}

interface PeerServerOptions {
  /** CLUSTER_SECRET. */
  readonly secret: string;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly onNotice: (notice: PeerNotice) => void;
  /** At once, whoever they are from. Default 2,000. */
  readonly connectionsMax?: number;
  readonly limits?: Partial<ChannelLimits>;
}
