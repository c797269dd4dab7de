import { beforeEach, describe, expect, test } from 'vitest';
import type { ScheduleId } from '../../../src/actors/allocator/ids.ts';
import type { SeatMap } from '../../../src/actors/allocator/seat-map.ts';
import { AvailabilityView } from '../../../src/actors/runtime/availability-view.ts';
import type { SeatWatcher } from '../../../src/actors/runtime/shard-host.ts';
import { SeatCopies } from '../../../src/cluster/seat-copies.ts';
import { type SeatMessage, streamSeats } from '../../../src/cluster/seat-messages.ts';
import { mapOf } from '../actors/hall-drawing.ts';
import { ManualClock } from '../actors/runtime/manual-clock.ts';
import { type PeerStream, ScriptedPeers } from './cluster-script.ts';

/** Ten seats, so that the bitmap has more than one byte; seats 1 and 9 are taken at seq 5. */
const map = mapOf('pppppppppp');
const owner = 'b:1';
const taken = [1, 9];

let clock: ManualClock;
let peers: ScriptedPeers;
let copies: SeatCopies;
let loadMap: () => Promise<SeatMap | undefined>;

beforeEach(() => {
  clock = new ManualClock();
  peers = new ScriptedPeers();
  loadMap = async () => map;
  copies = new SeatCopies({ peers, clock, loadMap: () => loadMap() });
});

/** What readers were told: seats that are free, and as of which seq; or nothing. */
function read(scheduleId = 1, address = owner): { said: string } {
  const told = { said: 'waiting' };
  copies.read(scheduleId as ScheduleId, address, (view) => {
    if (told.said !== 'waiting') throw new Error('a reply runs once');
    told.said = view === undefined ? 'nothing' : `${freeSeats(view)} at ${view.seq}`;
  });
  return told;
}

const freeSeats = (view: AvailabilityView) =>
  Array.from({ length: map.seatCount }, (_, seat) => seat)
    .filter((seat) => ((view.toBitmap()[seat >>> 3]! >>> (seat & 7)) & 1) === 1)
    .join('');

/** The snapshot of the owner's side of the stream. */
function snapshot(): SeatMessage {
  const view = new AvailabilityView(map, 5, (seat) => !taken.includes(seat));
  const sent: SeatMessage[] = [];
  const host = {
    watchSeats: (_id: ScheduleId, watcher: SeatWatcher) => {
      watcher.onStart(view);
      return () => {};
    },
  };
  streamSeats(host, 1 as ScheduleId, (message) => sent.push(message));
  return sent[0]!;
}

const change = (seq: number, takes: number[], frees: number[] = []): SeatMessage => ({
  kind: 'change',
  seq,
  taken: takes,
  freed: frees,
});

const stream = (): PeerStream => peers.streams.at(-1)!;

async function opened(): Promise<void> {
  read();
  stream().onMessage(snapshot());
  await clock.settle();
}

describe('a copy', () => {
  test('is what the owner has told, for all who wait for it', async () => {
    const readers = [read(), read()];
    expect(readers.map(({ said }) => said)).toEqual(['waiting', 'waiting']);
    stream().onMessage(snapshot());
    await clock.settle();
    expect(readers.map(({ said }) => said)).toEqual(['02345678 at 5', '02345678 at 5']);
    expect(peers.streams.map(({ address, body }) => [address, body])).toEqual([[owner, { scheduleId: 1 }]]);
  });

  test('follows each change', async () => {
    await opened();
    stream().onMessage(change(6, [0, 2]));
    stream().onMessage(change(7, [], [9]));
    expect(read().said).toBe('3456789 at 7');
  });

  test('takes what came while its hall was loaded', async () => {
    const hall = Promise.withResolvers<SeatMap>();
    loadMap = () => hall.promise;
    const reader = read();
    stream().onMessage(snapshot());
    stream().onMessage(change(6, [0]));
    stream().onMessage(change(7, [2]));
    await clock.settle();
    expect(reader.said).toBe('waiting');
    hall.resolve(map);
    await clock.settle();
    expect(reader.said).toBe('345678 at 7');
  });

  test('is not shown while its owner is silent', async () => {
    await opened();
    peers.isHeard = false;
    expect(read().said).toBe('nothing');
    peers.isHeard = true;
    expect(read().said).toBe('02345678 at 5');
    expect(peers.streams).toHaveLength(1);
  });
});

describe('a copy ends, and the next read begins another one', () => {
  async function expectEnded(wasTold = false): Promise<void> {
    await clock.settle();
    expect(stream().isEnded).toBe(!wasTold);
    read();
    expect(peers.streams).toHaveLength(2);
  }

  test.each([4, 5, 7])('when change %i comes after 5', async (seq) => {
    await opened();
    stream().onMessage(change(seq, [0]));
    await expectEnded();
  });

  test('when what came while its hall was loaded has a gap', async () => {
    const reader = read();
    stream().onMessage(snapshot());
    stream().onMessage(change(6, [0]));
    stream().onMessage(change(8, [2]));
    await clock.settle();
    expect(reader.said).toBe('nothing');
    await expectEnded();
  });

  test('when its owner does not know any more', async () => {
    await opened();
    stream().onMessage({ kind: 'over' });
    await expectEnded();
  });

  test('when the link breaks, with those who wait', async () => {
    const reader = read();
    stream().onEnd();
    expect(reader.said).toBe('nothing');
    await expectEnded(true);
  });

  test('when it is over while its hall is loaded', async () => {
    const hall = Promise.withResolvers<SeatMap>();
    loadMap = () => hall.promise;
    const reader = read();
    stream().onMessage(snapshot());
    stream().onEnd();
    hall.resolve(map);
    await clock.settle();
    expect(reader.said).toBe('nothing');
    await expectEnded(true);
  });

  test.each<[string, () => Promise<SeatMap | undefined>]>([
    ['there is not', async () => undefined],
    ['can’t be loaded', () => Promise.reject(new Error('down'))],
    ['is another one', async () => mapOf('p'.repeat(20))],
  ])('when its hall %s', async (_what, load) => {
    loadMap = load;
    const reader = read();
    stream().onMessage(snapshot());
    await clock.settle();
    expect(reader.said).toBe('nothing');
    await expectEnded();
  });

  test('when the schedule has another owner', async () => {
    await opened();
    const [old] = peers.streams;
    const reader = read(1, 'c:1');
    expect([old!.isEnded, stream().address, reader.said]).toEqual([true, 'c:1', 'waiting']);
    old!.onEnd();
    expect(read(1, 'c:1').said, 'the new one is not touched by the end of the old').toBe('waiting');
    expect(peers.streams).toHaveLength(2);
  });

  test('when nobody has read it for half a minute', async () => {
    await opened();
    await clock.advance(29_000);
    read();
    await clock.advance(29_000);
    expect(stream().isEnded).toBe(false);
    await clock.advance(16_000);
    expect([stream().isEnded, clock.delaysMs]).toEqual([true, []]);
  });

  test('when there are too many: the one that was not read for longest', async () => {
    for (let id = 1; id <= 256; id++) {
      read(id);
      await clock.advance(1);
    }
    read(1);
    read(300);
    const ended = peers.streams.filter(({ isEnded }) => isEnded);
    expect(ended.map(({ body }) => body)).toEqual([{ scheduleId: 2 }]);
  });

  test('when the node stops, with those who wait', async () => {
    await opened();
    const reader = read(2);
    copies.close();
    expect([reader.said, peers.streams.map(({ isEnded }) => isEnded), clock.delaysMs]).toEqual([
      'nothing',
      [true, true],
      [],
    ]);
  });
});

test('the owner tells each change, and the end', () => {
  const sent: SeatMessage[] = [];
  let watcher: SeatWatcher | undefined;
  let isEnded = false;
  const end = streamSeats(
    {
      watchSeats: (_id, given) => {
        watcher = given;
        return () => {
          isEnded = true;
        };
      },
    },
    1 as ScheduleId,
    (message) => sent.push(message),
  );
  watcher!.onChange({ seq: 6, taken: [1], freed: [2] });
  watcher!.onEnd();
  expect(sent).toEqual([{ kind: 'change', seq: 6, taken: [1], freed: [2] }, { kind: 'over' }]);
  end();
  expect(isEnded).toBe(true);
});
