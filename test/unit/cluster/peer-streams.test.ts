import { describe, expect, test } from 'vitest';
import { PeerStage } from './peer-stage.ts';

describe('a subscription', () => {
  test('gets the messages in order, among the answers of calls', async () => {
    const stage = await PeerStage.opened();
    const subscription = stage.subscribe();
    stage.call('a', 1_000, () => subscription.messages.push('answer'));
    await stage.clock.settle();
    const [stream] = stage.streams;
    expect(stream).toMatchObject({ method: 'watch', body: { of: 1 } });
    stream!.send({ seq: 1 });
    stage.served[0]!.reply(1);
    stream!.send({ seq: 2 });
    await stage.clock.settle();
    expect(subscription.messages).toEqual([{ seq: 1 }, 'answer', { seq: 2 }]);
    expect(subscription.ends).toBe(0);
  });

  test('may be made before the link is open', async () => {
    const stage = new PeerStage();
    const subscription = stage.subscribe();
    await stage.clock.settle();
    stage.streams[0]!.send({ seq: 1 });
    await stage.clock.settle();
    expect(subscription.messages).toEqual([{ seq: 1 }]);
    subscription.end();
    await stage.clock.settle();
    expect(stage.streams[0]!.stops).toBe(1);
  });

  test('that was ended gets nothing more, and the stream stops', async () => {
    const stage = await PeerStage.opened();
    const subscription = stage.subscribe();
    await stage.clock.settle();
    stage.streams[0]!.send({ seq: 1 });
    subscription.end();
    await stage.clock.settle();
    expect([subscription.messages, subscription.ends, stage.streams[0]!.stops]).toEqual([[], 0, 1]);
    stage.pair.break('cut');
    await stage.clock.settle();
    expect([subscription.ends, stage.streams[0]!.stops]).toEqual([0, 1]);
  });

  test('that was ended before it was sent is not sent', async () => {
    const stage = new PeerStage();
    stage.subscribe().end();
    await stage.clock.settle();
    expect([stage.pairs.length, stage.streams]).toEqual([1, []]);
  });

  test('ends once when it is refused', async () => {
    const stage = await PeerStage.opened();
    stage.isRefusing = true;
    const subscription = stage.subscribe();
    expect(subscription.ends, 'not before it returns').toBe(0);
    await stage.clock.settle();
    expect(subscription.ends).toBe(1);
    stage.pair.break('cut');
    await stage.clock.settle();
    expect(subscription.ends).toBe(1);
  });

  test('ends once when the link breaks, and the stream stops', async () => {
    const stage = await PeerStage.opened();
    const subscription = stage.subscribe();
    await stage.clock.settle();
    stage.pair.break('cut');
    await stage.clock.settle();
    expect([subscription.ends, stage.streams[0]!.stops]).toEqual([1, 1]);
    stage.streams[0]!.send({ seq: 1 });
    await stage.clock.advance(10_000);
    expect([subscription.messages, subscription.ends, stage.streams[0]!.stops]).toEqual([[], 1, 1]);
  });

  test('ends when the node can’t be reached, at once while it is left alone', async () => {
    const stage = new PeerStage();
    stage.unreachable = 'connection refused';
    const waited = stage.subscribe();
    await stage.clock.settle();
    const refused = stage.subscribe();
    const ended = stage.subscribe();
    ended.end();
    expect([waited.ends, refused.ends, stage.pairs]).toEqual([1, 0, []]);
    await stage.clock.settle();
    expect([waited.ends, refused.ends, ended.ends]).toEqual([1, 1, 0]);
  });

  test('ends when more is open than may be', async () => {
    const stage = await PeerStage.opened({ streamsMax: 1 });
    const [first, second] = [stage.subscribe(), stage.subscribe()];
    await stage.clock.settle();
    expect([first.ends, second.ends, stage.streams.length]).toEqual([0, 1, 1]);
    expect(stage.pair.opener.sent.filter((message) => 'subscribe' in message).length).toBe(1);
    stage.pair.server.take({ subscribe: 99, method: 'watch' });
    expect([stage.pair.server.sent.at(-1), stage.streams.length], 'the other end counts as well').toEqual([
      { ended: 99 },
      1,
    ]);
  });

  test('of a node that takes its messages too slowly is ended rather than queued', async () => {
    const stage = await PeerStage.opened({ streamQueuedBytesMax: 1_000 });
    const subscription = stage.subscribe();
    await stage.clock.settle();
    const [stream] = stage.streams;
    stage.pair.server.queuedBytes = 1_000;
    stream!.send({ seq: 1 });
    stage.pair.server.queuedBytes = 1_001;
    stream!.send({ seq: 2 });
    expect(stream!.stops, 'not in the middle of a send').toBe(0);
    stage.pair.server.queuedBytes = 0;
    stream!.send({ seq: 3 });
    await stage.clock.settle();
    expect([subscription.messages, subscription.ends, stream!.stops]).toEqual([[{ seq: 1 }], 1, 1]);
    expect(stage.pair.server.sent.at(-1)).toEqual({ ended: 2 });
    stage.pair.break('cut');
    await stage.clock.settle();
    expect([subscription.ends, stream!.stops]).toEqual([1, 1]);
  });

  test('may be made again from its own end', async () => {
    const stage = await PeerStage.opened();
    let again: ReturnType<PeerStage['subscribe']> | undefined;
    stage.links.subscribe(
      'b:1',
      'watch',
      {},
      {
        onMessage: () => {},
        onEnd: () => {
          again = stage.subscribe();
        },
      },
    );
    await stage.clock.settle();
    stage.pair.break('cut');
    await stage.clock.settle();
    expect([stage.pairs.length, stage.streams.length, again?.ends]).toEqual([2, 2, 0]);
  });
});
