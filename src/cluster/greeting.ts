import type { Socket } from 'node:net';
import type { ChannelLimits } from './channel-limits.ts';
import { FramedSocket } from './framed-socket.ts';
import { agree, helloOf, type PeerIdentity } from './hello.ts';
import type { AcceptChannel, Channel } from './transport.ts';

interface Greeting {
  readonly self: PeerIdentity;
  readonly limits: ChannelLimits;
  /** Both ends agree: the channel is open, and what comes goes to the events that this returns. */
  readonly onChannel: AcceptChannel;
  /** There is no channel, and the socket is closed, or will be. */
  readonly onRefusal: (reason: string) => void;
}

/**
 * Says hello on a socket that is connected and authenticated, and hears the other end's. Either `onChannel` or
 * `onRefusal` is called, once. How long it may take is its caller's to see to, who closes the socket.
 */
export function greet(socket: Socket, { self, limits, onChannel, onRefusal }: Greeting): FramedSocket {
  const onHello = (hello: unknown) => {
    const agreement = agree(self, hello);
    if ('wireVersion' in agreement) {
      frames.events = onChannel(new GreetedChannel(frames, agreement));
      return;
    }
    // Not at once: the other end has to get our hello, from which it comes to the same.
    frames.close(agreement.refusal);
  };
  const frames = new FramedSocket(socket, limits, { onMessage: onHello, onClose: onRefusal });
  frames.send(helloOf(self));
  return frames;
}

class GreetedChannel implements Channel {
  readonly #frames: FramedSocket;
  readonly wireVersion: number;
  readonly peerInstanceId: string;

  constructor(frames: FramedSocket, peer: { readonly wireVersion: number; readonly peerInstanceId: string }) {
    this.#frames = frames;
    this.wireVersion = peer.wireVersion;
    this.peerInstanceId = peer.peerInstanceId;
  }

  send(message: object): void {
    this.#frames.send(message);
  }

  get queuedBytes(): number {
    return this.#frames.queuedBytes;
  }

  close(): void {
    this.#frames.close('closed by this node');
  }
}
