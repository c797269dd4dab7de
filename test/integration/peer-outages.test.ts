import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, test, vi } from 'vitest';
import { encodeFrame } from '../../src/cluster/frame.ts';
import { PeerEndpoint } from '../../src/cluster/peer-endpoint.ts';
import { PeerLinks } from '../../src/cluster/peer-links.ts';
import { PeerServer } from '../../src/cluster/peer-server.ts';
import { TlsTransport } from '../../src/cluster/tls-transport.ts';
import { PeerUnreachable } from '../../src/cluster/transport.ts';
import { systemClock } from '../../src/system-clock.ts';
import { identity, PeerPort, rawHello, secret, ToldChannel } from './peer-port.ts';
import { passOn, TcpListener } from './tcp-listener.ts';

const until = vi.waitUntil;
const numbers = (count: number) => Array.from({ length: count }, (_, index) => ({ index }));

describe('a peer that breaks', () => {
  test('and stops reading is cut off when it has taken nothing for a while; memory is bounded till then', async () => {
    await using port = await PeerPort.listening({ limits: { socketTimeoutMs: 300 } });
    const socket = await port.connectRaw();
    socket.write(rawHello());
    socket.pause();
    await until(() => port.ends.length === 1);
    const [b] = port.ends;
    // More than the socket buffers of the system take.
    for (let i = 0; i < 30; i++) b!.channel.send({ text: 'x'.repeat(1024 * 1024) });
    await until(() => b!.reasons.length === 1, 5_000);
    expect(b!.reasons).toEqual(['it takes nothing for 300 ms']);
    expect(port.notices).toEqual([
      'A connection to the internal port from 127.0.0.1 has failed: it takes nothing for 300 ms',
    ]);
    socket.destroy();
  });

  test('and stops reading does not keep a channel that is closed', async () => {
    const port = await PeerPort.listening({ limits: { lingerMs: 200 } });
    const socket = await port.connectRaw();
    socket.write(rawHello());
    socket.pause();
    await until(() => port.ends.length === 1);
    for (let i = 0; i < 15; i++) port.ends[0]!.channel.send({ text: 'x'.repeat(1024 * 1024) });
    port.ends[0]!.channel.close();
    const startedAtMs = performance.now();
    await port.server.close(60_000);
    expect(performance.now() - startedAtMs).toBeLessThan(1_500);
    expect(port.ends[0]!.reasons).toEqual(['closed by this node']);
    socket.destroy();
  });

  test('and takes it slowly is not cut off', async () => {
    await using port = await PeerPort.listening({ limits: { socketTimeoutMs: 300 } });
    const socket = await port.connectRaw();
    socket.write(rawHello());
    await until(() => port.ends.length === 1);
    const [b] = port.ends;
    let bytes = 0;
    let takenNow = 0;
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      takenNow += chunk.length;
      if (takenNow > 1_500_000) socket.pause();
    });
    const reading = setInterval(() => {
      takenNow = 0;
      socket.resume();
    }, 50);
    for (let i = 0; i < 30; i++) b!.channel.send({ text: 'x'.repeat(1024 * 1024) });
    await until(() => bytes > 30 * 1024 * 1024, { timeout: 20_000 });
    clearInterval(reading);
    expect(b!.reasons).toEqual([]);
    socket.destroy();
  });

  test('and has more to take than may wait', async () => {
    await using port = await PeerPort.listening({ limits: { queuedBytesMax: 1_000_000 } });
    const a = await port.openFrom(identity('a'));
    const [b] = port.ends;
    for (let i = 0; i < 100; i++) b!.channel.send({ text: 'x'.repeat(20_000) });
    expect(b!.channel.queuedBytes, 'none is kept').toBe(0);
    await until(() => a.reasons.length + b!.reasons.length === 2);
    expect(b!.reasons[0]).toMatch(/^10\d{5} bytes wait to be sent; 1000000 are the limit$/);
  });

  test('in the middle of a frame: what came before counts, and nothing of the rest', async () => {
    await using port = await PeerPort.listening();
    const socket = await port.connectRaw();
    const frame = encodeFrame(['{"a":1}', '{"b":2}']);
    socket.end(Buffer.concat([rawHello(), frame, frame.subarray(0, 12)]));
    await until(() => port.ends[0]?.reasons.length === 1);
    expect(port.ends[0]).toMatchObject({
      messages: [{ a: 1 }, { b: 2 }],
      reasons: ['it broke off in a frame'],
    });
  });

  test('without a word: the other end is told once', async () => {
    await using port = await PeerPort.listening();
    await using relay = await TcpListener.start((socket) => passOn(socket, port.port));
    const a = new ToldChannel();
    const channel = await new TlsTransport({ secret, self: identity('a') }).open(relay.address, a);
    await until(() => port.ends.length === 1);
    for (const socket of relay.sockets) socket.resetAndDestroy();
    await until(() => a.reasons.length === 1 && port.ends[0]?.reasons.length === 1);
    channel.send({ tooLate: true });
    expect(channel.queuedBytes).toBe(0);
    channel.close();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect([a.reasons.length, port.ends[0]!.reasons.length]).toEqual([1, 1]);
  });
});

describe('links over it', () => {
  const answering = (port: PeerPort, reply: (body: unknown, answer: (answer: unknown) => void) => void) => {
    const endpoint = new PeerEndpoint({
      clock: systemClock,
      service: {
        serve: (_method, body, _from, answer) => reply(body, answer),
        stream: (_method, _body, send) => {
          for (const message of numbers(1_000)) send(message);
          return () => {};
        },
      },
    });
    port.server.serve(identity('b'), endpoint.accept);
    const notices: string[] = [];
    const links = new PeerLinks({
      clock: systemClock,
      onNotice: ({ message }) => notices.push(message),
      transport: new TlsTransport({ secret, self: identity('a') }),
    });
    return { endpoint, links, notices };
  };

  test('10,000 calls on their way at once: each is started in order and answered once', async () => {
    await using port = await PeerPort.listening();
    const started: unknown[] = [];
    const waiting: (() => void)[] = [];
    const { links } = answering(port, (body, answer) => {
      started.push(body);
      waiting.push(() => answer(body));
    });
    const replies = new Map<number, unknown[]>();
    for (const body of numbers(10_000)) {
      const { index } = body;
      links.call(port.address, 'do', body, 5_000, (result) => {
        replies.set(index, [...(replies.get(index) ?? []), result]);
      });
    }
    await until(() => waiting.length === 10_000, 5_000);
    expect([started, replies.size]).toEqual([numbers(10_000), 0]);
    for (const answer of waiting.reverse()) answer();
    await until(() => replies.size === 10_000, 5_000);
    for (const body of numbers(10_000)) expect(replies.get(body.index)).toEqual([{ answer: body }]);
    links.close();
  });

  test('a stream comes in order', async () => {
    await using port = await PeerPort.listening();
    const { links } = answering(port, () => {});
    const messages: unknown[] = [];
    links.subscribe(
      port.address,
      'watch',
      {},
      { onMessage: (message) => messages.push(message), onEnd: () => {} },
    );
    await until(() => messages.length === 1_000);
    expect(messages).toEqual(numbers(1_000));
    links.close();
  });

  test('a node that stops loses no call that it was asked', async () => {
    const port = await PeerPort.listening();
    const { endpoint, links } = answering(port, (body, answer) => setTimeout(() => answer(body), 100));
    const results: unknown[] = [];
    for (const body of numbers(100))
      links.call(port.address, 'do', body, 5_000, (result) => results.push(result));
    await until(() => links.isHeardOf(port.address, 1_000));
    endpoint.leave();
    const startedAtMs = performance.now();
    await port.server.close(5_000);
    expect(performance.now() - startedAtMs).toBeLessThan(1_000);
    expect(results).toEqual(numbers(100).map((answer) => ({ answer })));
    links.call(port.address, 'do', {}, 5_000, (result) => results.push(result));
    await until(() => results.length === 101);
    expect(results[100]).toEqual({ failure: 'not-sent' });
  });

  test('to a node that can’t be talked to say why in a notice', async () => {
    await using port = await PeerPort.listening();
    const { links, notices } = answering(port, () => {});
    port.server.serve(identity('b', 2, 3), () => new ToldChannel());
    const results: unknown[] = [];
    links.call(port.address, 'do', {}, 5_000, (result) => results.push(result));
    await until(() => results.length === 1);
    expect(results).toEqual([{ failure: 'not-sent' }]);
    expect(notices).toEqual([
      `A node can’t be reached: ${port.address}: no version of the wire format is known to both: b has Usher 0.3.0, wire format 2–3; this node has Usher 0.1.0, wire format 1`,
    ]);
  });
});

describe('the internal port', () => {
  test('sends away who comes before the node serves', async () => {
    const server = new PeerServer({ secret, clock: systemClock, onNotice: () => {} });
    const address = `127.0.0.1:${await server.listen('127.0.0.1', 0)}`;
    const open = () => new TlsTransport({ secret, self: identity('a') }).open(address, new ToldChannel());
    const startedAtMs = performance.now();
    await expect(open()).rejects.toThrow(PeerUnreachable);
    expect(performance.now() - startedAtMs).toBeLessThan(2_000);
    server.serve(identity('b'), () => new ToldChannel());
    (await open()).close();
    await server.close(0);
  });

  test('that is taken already can’t be listened on', async () => {
    await using port = await PeerPort.listening();
    const server = new PeerServer({ secret, clock: systemClock, onNotice: () => {} });
    await expect(server.listen('127.0.0.1', port.port)).rejects.toThrow('EADDRINUSE');
  });

  test('takes so many connections and no more', async () => {
    await using port = await PeerPort.listening({ connectionsMax: 2 });
    const a = await port.openFrom(identity('a'));
    await port.openFrom(identity('c'));
    await expect(port.openFrom(identity('d'))).rejects.toThrow(PeerUnreachable);
    expect(port.notices).toEqual(['A connection to the internal port was refused: there are too many']);
    a.channel.close();
    await until(() => port.ends[0]!.reasons.length === 1);
    await vi.waitFor(() => port.openFrom(identity('d')));
  });

  test('that closes takes nobody, leaves channels their time, and then ends them', async () => {
    const port = await PeerPort.listening();
    const [a, c] = [await port.openFrom(identity('a')), await port.openFrom(identity('c'))];
    const startedAtMs = performance.now();
    const closing = port.server.close(300);
    await expect(port.openFrom(identity('d'))).rejects.toThrow(PeerUnreachable);
    a.channel.send({ last: true });
    a.channel.close();
    await closing;
    expect(performance.now() - startedAtMs).toBeGreaterThan(290);
    expect(performance.now() - startedAtMs).toBeLessThan(1_200);
    expect(port.ends[0]!.messages).toEqual([{ last: true }]);
    await until(() => c.reasons.length === 1);
    expect(c.reasons).toEqual(['it has left']);
  });

  test('that closes waits for nobody who has connected and says nothing', async () => {
    const port = await PeerPort.listening();
    const socket = connect(port.port, '127.0.0.1');
    await once(socket, 'connect');
    const startedAtMs = performance.now();
    await port.server.close(0);
    expect(performance.now() - startedAtMs).toBeLessThan(1_900);
  });
});
