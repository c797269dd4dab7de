import {
  type AcceptChannel,
  type Channel,
  type ChannelEvents,
  PeerUnreachable,
  type Transport,
} from '../../../src/cluster/transport.ts';
import type { Counters } from '../counters.ts';
import type { Prng } from '../prng.ts';
import { type Owner, type Scheduler, serverOwner } from '../scheduler.ts';
import type { Place } from './cluster-action.ts';
import type { ClusterFaults } from './cluster-faults.ts';
import { type Carrier, SimulatedLine } from './simulated-line.ts';

/** From connecting to the end of the greeting, as the real adapter has it. */
const greetingMaxMs = 3_000;
/** A call goes to the owner, and comes back where that one can’t carry it out. */
const hopsMax = 1;

/**
 * The network between the nodes: the Transport port. Messages of one channel arrive in order, those of different
 * ones in any; a node that stands still gets them when it goes on.
 */
export class Network implements Carrier {
  readonly #scheduler: Scheduler;
  readonly #faults: ClusterFaults;
  readonly #counters: Counters;
  readonly #delays: Prng;
  readonly #blame: (message: string) => void;
  readonly #listeners = new Map<string, Listener>();
  /** Each channel's two directions. */
  #channels: (readonly [SimulatedLine, SimulatedLine])[] = [];
  /** Arrivals that wait for a cut to be mended. */
  #held: SimulatedLine[] = [];

  /** @param delays decides how long messages take where the network is slow. */
  constructor(
    scheduler: Scheduler,
    faults: ClusterFaults,
    counters: Counters,
    delays: Prng,
    blame: (message: string) => void,
  ) {
    this.#scheduler = scheduler;
    this.#faults = faults;
    this.#counters = counters;
    this.#delays = delays;
    this.#blame = blame;
  }

  /** In the place of whoever listened there before. */
  listen(address: string, listener: Listener): void {
    this.#listeners.set(address, listener);
  }

  transportOf(self: Party): Transport {
    return { open: (address, events) => this.#open(self, address, events) };
  }

  /** What waited for a cut to end goes on. */
  mended(): void {
    for (const line of this.#held.splice(0)) this.#schedule(line, 'what was held up');
  }

  /** @param isSilent its connections just go dead. */
  kill(owner: Owner, isSilent: boolean): void {
    for (const [address, listener] of this.#listeners) {
      if (listener.owner === owner) this.#listeners.delete(address);
    }
    for (const [one, other] of this.#channels) {
      if (one.receiver !== owner && other.receiver !== owner) continue;
      const [incoming, outgoing] = one.receiver === owner ? [one, other] : [other, one];
      incoming.end();
      if (!isSilent) outgoing.close('the other end is dead', false);
    }
    this.#channels = this.#channels.filter(
      ([one, other]) => one.receiver !== owner && other.receiver !== owner,
    );
  }

  /** Links between the two places break, and lose what is on its way. */
  breakLinks(one: Place, other: Place): void {
    for (const channel of this.#channels) {
      const [line] = channel;
      if (!(line.from === one && line.to === other) && !(line.from === other && line.to === one)) continue;
      this.#counters.add('links broken');
      for (const direction of channel) {
        this.#counters.add('messages lost', direction.queued);
        direction.close('the connection broke', true);
      }
    }
  }

  carry(line: SimulatedLine, text: string): void {
    const [, hops = '0'] = /"hops":(\d+)\}\}$/.exec(text) ?? [];
    if (Number(hops) > hopsMax) this.#blame(`a call makes ${hops} hops: ${text}`);
    this.#schedule(line, text);
  }

  /** Calls and answers can come twice; what follows from a stream is numbered by nobody. */
  isDuplicated(text: string): boolean {
    if (!/^\{"(call|reply|subscribe)":/.test(text) || !this.#faults.takeDuplicate()) return false;
    this.#counters.add('messages duplicated');
    return true;
  }

  #schedule(line: SimulatedLine, what: string): void {
    const { from, to, receiver } = line;
    const label = `from place ${from} to ${to}: ${what}`;
    const run = () => {
      if (!this.#faults.isLineCut(from, to)) return line.arrive();
      this.#counters.add('messages held up by a cut');
      this.#held.push(line);
    };
    const { messageDelayMaxMs } = this.#faults;
    if (messageDelayMaxMs === 0) return this.#scheduler.add({ owner: receiver, label, run });
    this.#scheduler.addTimer({ owner: receiver, label, run }, this.#delays.between(0, messageDelayMaxMs));
  }

  #open(self: Party, address: string, events: ChannelEvents): Promise<Channel> {
    const { promise, resolve, reject } = Promise.withResolvers<Channel>();
    const scheduler = this.#scheduler;
    let isOver = false;
    const refuse = (reason: string) => {
      if (isOver) return;
      isOver = true;
      cancel();
      reject(new PeerUnreachable(`${address}: ${reason}`));
    };
    const cancel = scheduler.addTimer(
      { owner: self.owner, label: `${address} does not greet`, run: () => refuse('it does not greet') },
      greetingMaxMs,
    );
    const knock = () => {
      const listener = this.#listeners.get(address);
      if (listener === undefined) {
        const run = () => refuse('nobody listens there');
        return scheduler.add({ owner: self.owner, label: `${address} refuses`, run });
      }
      const { owner, place } = listener;
      if (this.#faults.isLineCut(self.place, place) || this.#faults.isLineCut(place, self.place)) return;
      const greet = () => {
        if (isOver) return;
        const channel = this.#connect(self, listener, events);
        const run = () => {
          if (isOver) return channel.close();
          isOver = true;
          cancel();
          resolve(channel);
        };
        scheduler.add({ owner: self.owner, label: `${address} has greeted`, run });
      };
      scheduler.add({ owner, label: `place ${self.place} greets`, run: greet });
    };
    scheduler.add({ owner: serverOwner, label: `place ${self.place} connects to ${address}`, run: knock });
    return promise;
  }

  #connect(opener: Party, listener: Listener, events: ChannelEvents): Channel {
    this.#counters.add('links opened');
    const there = new SimulatedLine(opener.place, listener.place, listener.owner, this);
    const back = new SimulatedLine(listener.place, opener.place, opener.owner, this);
    this.#channels.push([there, back]);
    back.events = events;
    there.events = listener.accept(channelOf(back, there, opener.instanceId));
    return channelOf(there, back, listener.instanceId);
  }
}

function channelOf(sends: SimulatedLine, receives: SimulatedLine, peerInstanceId: string): Channel {
  return {
    wireVersion: 1,
    peerInstanceId,
    get queuedBytes() {
      return sends.queuedBytes;
    },
    send: (message) => sends.send(JSON.stringify(message)),
    close: () => {
      receives.close('closed from this side', true);
      sends.close('closed by the other end', false);
    },
  };
}

/** A process, as the network knows it. */
export interface Party {
  readonly owner: Owner;
  readonly place: Place;
  readonly instanceId: string;
}

export interface Listener extends Party {
  readonly accept: AcceptChannel;
}
