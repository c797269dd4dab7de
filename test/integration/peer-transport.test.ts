import { once } from 'node:events';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { describe, expect, test, vi } from 'vitest';
import { encodeFrame } from '../../src/cluster/frame.ts';
import { TlsTransport } from '../../src/cluster/tls-transport.ts';
import { PeerUnreachable } from '../../src/cluster/transport.ts';
import { identity, PeerPort, rawHello, secret, ToldChannel } from './peer-port.ts';
import { passOn, TcpListener } from './tcp-listener.ts';

const until = vi.waitUntil;
const numbers = (count: number) => Array.from({ length: count }, (_, index) => ({ index }));

describe('a channel', () => {
  test('carries messages both ways, each once and in order', async () => {
    await using port = await PeerPort.listening();
    const a = await port.openFrom(identity('a'));
    const [b] = port.ends;
    expect([a.channel.peerInstanceId, b!.channel.peerInstanceId]).toEqual([
      'b/1@127.0.0.1:1',
      'a/1@127.0.0.1:1',
    ]);
    for (const message of numbers(20_000)) {
      a.channel.send(message);
      if (message.index % 1_000 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    for (const message of numbers(20_000)) b!.channel.send(message);
    await until(() => a.messages.length + b!.messages.length === 40_000);
    expect(a.messages).toEqual(numbers(20_000));
    expect(b!.messages).toEqual(numbers(20_000));
    await until(() => a.channel.queuedBytes + b!.channel.queuedBytes === 0);
  });

  test('takes what a message is when it is sent', async () => {
    await using port = await PeerPort.listening();
    const a = await port.openFrom(identity('a'));
    const message = { seats: ['A-1'] };
    a.channel.send(message);
    message.seats.push('A-2');
    await until(() => port.ends[0]!.messages.length === 1);
    expect(port.ends[0]!.messages).toEqual([{ seats: ['A-1'] }]);
  });

  test('outlives the time that is given to its opening', async () => {
    const limits = { greetingMaxMs: 150 };
    await using port = await PeerPort.listening({ limits });
    const a = await port.openFrom(identity('a'), limits);
    await new Promise((resolve) => setTimeout(resolve, 400));
    a.channel.send({ index: 0 });
    await until(() => port.ends[0]!.messages.length === 1);
    expect([a.reasons, port.ends[0]!.reasons]).toEqual([[], []]);
  });

  test('can’t be read on the way', async () => {
    await using port = await PeerPort.listening();
    const seen: Buffer[] = [];
    await using relay = await TcpListener.start((socket) => {
      socket.on('data', (chunk: Buffer) => seen.push(chunk));
      passOn(socket, port.port);
    });
    const a = new ToldChannel();
    const channel = await new TlsTransport({ secret, self: identity('a') }).open(relay.address, a);
    channel.send({ cardToken: 'tok_visa_4242' });
    await until(() => port.ends[0]?.messages.length === 1);
    const bytes = Buffer.concat(seen).toString('latin1');
    expect(bytes).toContain('usher/1');
    expect(bytes).not.toMatch(/cardToken|tok_visa|installation-1|wireMin/);
    channel.close();
  });

  test('that one end closes: what was sent before arrives, and both are told once', async () => {
    await using port = await PeerPort.listening();
    const a = await port.openFrom(identity('a'));
    const [b] = port.ends;
    for (const message of numbers(1_000)) a.channel.send(message);
    a.channel.close();
    a.channel.send({ tooLate: true });
    expect(a.reasons, 'not before it returns').toEqual([]);
    await until(() => b!.reasons.length === 1);
    expect([a.reasons, b!.reasons]).toEqual([['closed by this node'], ['it has left']]);
    expect(b!.messages).toEqual(numbers(1_000));
  });

  test('that an end closes while it reads: nothing more comes of what was sent together', async () => {
    await using port = await PeerPort.listening();
    const a = await port.openFrom(identity('a'));
    const [b] = port.ends;
    b!.onMessage = (message) => {
      b!.messages.push(message);
      b!.channel.close();
    };
    for (const message of numbers(3)) a.channel.send(message);
    await until(() => a.reasons.length === 1);
    expect([b!.messages, b!.reasons]).toEqual([numbers(1), ['closed by this node']]);
  });

  test('carries messages of many megabytes', async () => {
    await using port = await PeerPort.listening();
    const a = await port.openFrom(identity('a'));
    const big = { text: 'ü'.repeat(7 * 1024 * 1024) };
    for (let i = 0; i < 3; i++) a.channel.send(big);
    a.channel.send({ last: true });
    expect(a.channel.queuedBytes).toBeGreaterThan(20_000_000);
    await until(() => port.ends[0]!.messages.length === 4, 10_000);
    expect(port.ends[0]!.messages[2]).toEqual(big);
    expect(port.ends[0]!.messages[3]).toEqual({ last: true });
  });

  test('ends with a message that is too great, at whichever end it is sent', async () => {
    await using port = await PeerPort.listening({ limits: { frameBytesMax: 1_000 } });
    const [a, c] = [await port.openFrom(identity('a')), await port.openFrom(identity('c'))];
    const [b, d] = port.ends;
    a.channel.send({ text: 'x'.repeat(1_000) });
    d!.channel.send({ text: 'x'.repeat(1_000) });
    await until(() => [a, b!, c, d!].every(({ reasons }) => reasons.length > 0));
    expect(b!.reasons).toEqual(['it sent a frame of 1017 bytes; 1000 are the limit']);
    expect(d!.reasons).toEqual(['a message has 1017 bytes; 1000 are the limit']);
  });

  test('ends with a message that is no JSON: nothing may be left out', async () => {
    await using port = await PeerPort.listening();
    const a = await port.openFrom(identity('a'));
    a.channel.send({ seats: 1n });
    await until(() => a.reasons.length === 1);
    expect(a.reasons[0]).toMatch(/^a message can’t be written as JSON: .*BigInt/);
  });
});

describe('who has another secret', () => {
  test.each([
    ['the node that connects', secret, 'another secret, of 32 bytes and more too'],
    ['the node that listens', 'another secret, of 32 bytes and more too', secret],
  ])('%s', async (_who, theirs, ours) => {
    await using port = await PeerPort.listening({ secret: theirs });
    const opening = new TlsTransport({ secret: ours, self: identity('a') }).open(
      port.address,
      new ToldChannel(),
    );
    const why = 'its CLUSTER_SECRET is another one';
    await expect(opening).rejects.toThrow(PeerUnreachable);
    await expect(opening).rejects.toThrow(`${port.address}: ${why}`);
    await until(() => port.notices.length === 1);
    expect(port.notices[0]).toContain(`from 127.0.0.1 has failed: ${why}`);
    expect(port.ends).toEqual([]);
  });

  test('or another kind of one', async () => {
    await using port = await PeerPort.listening();
    await expect(port.connectRaw('usher/9')).rejects.toThrow();
    await until(() => port.notices.length === 1);
    expect(port.notices[0]).toContain('does not know this cluster’s kind of secret');
  });
});

describe('the wire format', () => {
  test.each([
    ['a newer node calls an older one', [1, 2], [1, 1]],
    ['an older node calls a newer one', [1, 1], [1, 2]],
  ] as const)('%s: they speak the version that both know', async (_name, ours, theirs) => {
    await using port = await PeerPort.listening({ self: identity('b', ...theirs) });
    const a = await port.openFrom(identity('a', ...ours));
    expect([a.channel.wireVersion, port.ends[0]!.channel.wireVersion]).toEqual([1, 1]);
    a.channel.send({ hello: true });
    await until(() => port.ends[0]!.messages.length === 1);
  });

  test('of which no version is known to both: each end says both', async () => {
    await using port = await PeerPort.listening({ self: identity('b', 2, 3) });
    const why = 'no version of the wire format is known to both';
    await expect(port.openFrom(identity('a'))).rejects.toThrow(
      `${why}: b has Usher 0.3.0, wire format 2–3; this node has Usher 0.1.0, wire format 1`,
    );
    await until(() => port.notices.length === 1);
    expect(port.notices[0]).toContain(
      `${why}: a has Usher 0.1.0, wire format 1; this node has Usher 0.3.0, wire format 2–3`,
    );
    expect(port.ends).toEqual([]);
  });

  test('may have fields, in hello and frames, that this node does not know', async () => {
    await using port = await PeerPort.listening();
    const socket = await port.connectRaw();
    socket.write(Buffer.concat([rawHello({ wireMax: 9, zones: ['a'] }), encodeFrame(['{"a":1,"new":2}'])]));
    await until(() => port.ends[0]?.messages.length === 1);
    expect(port.ends[0]!.messages).toEqual([{ a: 1, new: 2 }]);
    socket.destroy();
  });

  test('a node of another installation is refused at both ends', async () => {
    await using port = await PeerPort.listening();
    const opening = port.openFrom({ ...identity('a'), installationId: 'installation-2' });
    await expect(opening).rejects.toThrow('b belongs to another installation (theirs is installation-1');
    await until(() => port.notices.length === 1);
    expect(port.notices[0]).toContain('a belongs to another installation (theirs is installation-2');
  });
});

describe('who is no node', () => {
  test.each([
    ['HTTP', 'GET / HTTP/1.1\r\nHost: usher\r\n\r\n', 'it speaks HTTP'],
    ['noise', 'x'.repeat(2_000), 'what speaks there is no node of a cluster'],
    ['nothing', '', 'it does not speak'],
    ['the beginning of a handshake', Buffer.from([22, 3, 1, 1, 0, 1]), 'it does not speak'],
  ])('is cut off: %s', async (_name, bytes, why) => {
    await using port = await PeerPort.listening({ limits: { greetingMaxMs: 200 } });
    const socket = connect(port.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(bytes);
    await once(socket.resume(), 'close');
    await until(() => port.notices.length === 1);
    expect(port.notices[0]).toContain(why);
  });

  test('is cut off: a client that wants certificates', async () => {
    await using port = await PeerPort.listening();
    const socket = connectTls({ host: '127.0.0.1', port: port.port, rejectUnauthorized: false });
    await expect(once(socket, 'secureConnect')).rejects.toThrow();
    await until(() => port.notices.length === 1);
    expect(port.notices[0]).toContain('certificates');
  });

  test.each([
    ['says nothing', Buffer.alloc(0), 'it does not greet within 200 ms'],
    ['says it bit by bit', rawHello().subarray(0, 20), 'it does not greet within 200 ms'],
    ['says something else', encodeFrame(['{"a":1}']), 'it does not greet as a node of Usher does'],
    ['says no JSON', Buffer.from('\0\0\0\x02{['), 'it sent a frame that is no JSON array'],
    [
      'sends a frame without an end',
      Buffer.from('\xff\xff\xff\xff', 'latin1'),
      'it sent a frame of 4294967299 bytes',
    ],
  ])('is cut off though it has the key: who %s', async (_name, bytes, why) => {
    await using port = await PeerPort.listening({ limits: { greetingMaxMs: 200 } });
    const socket = await port.connectRaw();
    socket.write(bytes);
    await once(socket.resume(), 'close');
    await until(() => port.notices.length === 1);
    expect(port.notices[0]).toContain(why);
    expect(port.ends).toEqual([]);
  });

  test('keeps no node out, and fills no log', async () => {
    await using port = await PeerPort.listening();
    const strangers = Array.from({ length: 50 }, () => {
      const socket = connect(port.port, '127.0.0.1', () => socket.write('GET / HTTP/1.1\r\n\r\n'));
      socket.on('error', () => {});
      return once(socket.resume(), 'close');
    });
    const a = await port.openFrom(identity('a'));
    await Promise.all(strangers);
    a.channel.send({ hello: true });
    await until(() => port.ends[0]!.messages.length === 1);
    expect(port.notices.length).toBe(1);
  });

  test('is found out by who connects to it', async () => {
    const open = (address: string) =>
      new TlsTransport({ secret, self: identity('a'), limits: { greetingMaxMs: 200 } }).open(
        address,
        new ToldChannel(),
      );
    await using web = await TcpListener.start((socket) =>
      socket.once('data', () => socket.end('HTTP/1.1 400 x\r\n\r\n')),
    );
    await using silent = await TcpListener.start((socket) => socket.resume());
    await using closing = await TcpListener.start((socket) => socket.end());
    await expect(open(web.address)).rejects.toThrow('what speaks there is no node of a cluster');
    await expect(open(silent.address)).rejects.toThrow(`${silent.address}: it does not greet within 200 ms`);
    await until(() => [...silent.sockets].every(({ closed }) => closed));
    await expect(open(closing.address)).rejects.toThrow(closing.address);
    await closing[Symbol.asyncDispose]();
    await expect(open(closing.address)).rejects.toThrow('ECONNREFUSED');
    await expect(open('nowhere')).rejects.toThrow(new PeerUnreachable('“nowhere” is no host:port'));
  });
});
