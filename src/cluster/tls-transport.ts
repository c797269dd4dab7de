import { connect, type TLSSocket } from 'node:tls';
import { type ChannelLimits, channelLimits } from './channel-limits.ts';
import { clusterKey, pskIdentity, pskTls } from './cluster-key.ts';
import { connectionFault } from './connection-fault.ts';
import { greet } from './greeting.ts';
import type { PeerIdentity } from './hello.ts';
import { parsePeerAddress } from './peer-address.ts';
import { type Channel, type ChannelEvents, PeerUnreachable, type Transport } from './transport.ts';

/** Opens channels to the internal ports of other nodes (peer-server.ts), over TLS with the cluster's key. */
export class TlsTransport implements Transport {
  readonly #key: Buffer;
  readonly #self: PeerIdentity;
  readonly #limits: ChannelLimits;

  constructor(options: TlsTransportOptions) {
    this.#key = clusterKey(options.secret);
    this.#self = options.self;
    this.#limits = { ...channelLimits, ...options.limits };
  }

  open(address: string, events: ChannelEvents): Promise<Channel> {
    const target = parsePeerAddress(address);
    const { promise, resolve, reject } = Promise.withResolvers<Channel>();
    if (target === undefined) {
      reject(new PeerUnreachable(`“${address}” is no host:port`));
      return promise;
    }
    const socket = connect({
      ...pskTls,
      ...target,
      pskCallback: () => ({ psk: this.#key, identity: pskIdentity }),
      // There is no certificate; who has the key is a node.
      checkServerIdentity: () => undefined,
    });
    let isOver = false;
    const finish = (settle: () => void) => {
      isOver = true;
      clearTimeout(timer);
      settle();
    };
    const refuse = (reason: string) => {
      if (!isOver) finish(() => reject(new PeerUnreachable(`${address}: ${reason}`)));
    };
    const fail = (reason: string) => {
      refuse(reason);
      socket.destroy();
    };
    const { greetingMaxMs } = this.#limits;
    const timer = setTimeout(() => fail(silenceOf(socket, greetingMaxMs)), greetingMaxMs);
    socket.on('error', (error) => fail(connectionFault(error)));
    socket.on('secureConnect', () =>
      greet(socket, {
        self: this.#self,
        limits: this.#limits,
        onChannel: (channel) => {
          finish(() => resolve(channel));
          return events;
        },
        onRefusal: refuse,
      }),
    );
    return promise;
  }
}

interface TlsTransportOptions {
  /** CLUSTER_SECRET. */
  readonly secret: string;
  readonly self: PeerIdentity;
  readonly limits?: Partial<ChannelLimits>;
}

function silenceOf(socket: TLSSocket, waitedMs: number): string {
  return `${socket.connecting ? 'it does not answer' : 'it does not greet'} within ${waitedMs} ms`;
}
