import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';
import { vi } from 'vitest';
import type { ChannelLimits } from '../../src/cluster/channel-limits.ts';
import { clusterKey, pskIdentity, pskTls } from '../../src/cluster/cluster-key.ts';
import { encodeFrame } from '../../src/cluster/frame.ts';
import { helloOf, type PeerIdentity } from '../../src/cluster/hello.ts';
import { PeerServer } from '../../src/cluster/peer-server.ts';
import { TlsTransport } from '../../src/cluster/tls-transport.ts';
import type { AcceptChannel, Channel, ChannelEvents } from '../../src/cluster/transport.ts';
import { systemClock } from '../../src/system-clock.ts';

export const secret = 'a secret of the cluster, of 32 bytes and more';

export const identity = (nodeId: string, wireMin = 1, wireMax = 1): PeerIdentity => ({
  installationId: 'installation-1',
  instanceId: `${nodeId}/1@127.0.0.1:1`,
  nodeId,
  version: `0.${wireMax}.0`,
  wire: { wireMin, wireMax },
});

interface PeerPortOptions {
  readonly self?: PeerIdentity;
  readonly secret?: string;
  readonly connectionsMax?: number;
  readonly limits?: Partial<ChannelLimits>;
}

/** The internal port of a node, on loopback, which keeps what it is told. */
export class PeerPort implements AsyncDisposable {
  readonly server: PeerServer;
  readonly notices: string[] = [];
  readonly ends: ToldChannel[] = [];
  address = '';
  port = 0;

  private constructor({ limits = {}, connectionsMax = 100, ...options }: PeerPortOptions) {
    this.server = new PeerServer({
      secret: options.secret ?? secret,
      clock: systemClock,
      onNotice: ({ message }) => this.notices.push(message),
      connectionsMax,
      limits,
    });
  }

  static async listening(options: PeerPortOptions = {}): Promise<PeerPort> {
    const peerPort = new PeerPort(options);
    peerPort.port = await peerPort.server.listen('127.0.0.1', 0);
    peerPort.address = `127.0.0.1:${peerPort.port}`;
    const keep: AcceptChannel = (channel) => {
      const end = new ToldChannel();
      end.channel = channel;
      peerPort.ends.push(end);
      return end;
    };
    peerPort.server.serve(options.self ?? identity('b'), keep);
    return peerPort;
  }

  /** Another node opens a channel; its end here is the newest of `ends` then. */
  async openFrom(self: PeerIdentity, limits: Partial<ChannelLimits> = {}): Promise<ToldChannel> {
    const end = new ToldChannel();
    const endsBefore = this.ends.length;
    end.channel = await new TlsTransport({ secret, self, limits }).open(this.address, end);
    await vi.waitUntil(() => this.ends.length > endsBefore);
    return end;
  }

  /** Somebody who has the key, and speaks TLS and nothing else. */
  async connectRaw(name = pskIdentity): Promise<TLSSocket> {
    const socket = connect({
      ...pskTls,
      host: '127.0.0.1',
      port: this.port,
      pskCallback: () => ({ psk: clusterKey(secret), identity: name }),
      checkServerIdentity: () => undefined,
    });
    socket.on('error', () => {});
    await once(socket, 'secureConnect');
    return socket;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.close(0);
  }
}

/** One end of a channel, and what it was told. */
export class ToldChannel implements ChannelEvents {
  channel!: Channel;
  readonly messages: unknown[] = [];
  readonly reasons: string[] = [];

  onMessage(message: unknown): void {
    this.messages.push(message);
  }

  onClose(reason: string): void {
    this.reasons.push(reason);
  }
}

export const rawHello = (more: object = {}): Buffer =>
  encodeFrame([JSON.stringify({ ...helloOf(identity('raw')), ...more })]);
