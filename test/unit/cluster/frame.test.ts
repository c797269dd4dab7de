import { describe, expect, test } from 'vitest';
import { encodeFrame, FrameFault, FrameReader } from '../../../src/cluster/frame.ts';

const frames = [[], [{ a: 1 }], ['ünï', null, [1, 2]], ['x'.repeat(5_000)]];
const wire = Buffer.concat(frames.map((messages) => encodeFrame(messages.map((one) => JSON.stringify(one)))));

/** All that is read when the bytes come in chunks of this size. */
function readIn(chunkBytes: number): unknown[] {
  const reader = new FrameReader(10_000);
  const read: unknown[] = [];
  for (let at = 0; at < wire.length; at += chunkBytes) {
    reader.push(wire.subarray(at, at + chunkBytes), (messages) => read.push(messages));
  }
  expect(reader.isInFrame).toBe(false);
  return read;
}

test.each([1, 2, 3, 4, 5, 7, 11, 64, 1_000, 4_096, 100_000])('frames in chunks of %i bytes', (chunkBytes) => {
  expect(readIn(chunkBytes)).toEqual(frames);
});

test('a frame says where it ends: 4 bytes, the length of the rest', () => {
  expect(encodeFrame(['1', '"é"'])).toEqual(Buffer.from('\0\0\0\x08[1,"é"]'));
});

test('a frame that is not complete', () => {
  const reader = new FrameReader(10_000);
  reader.push(encodeFrame(['1']).subarray(0, 6), () => expect.unreachable());
  expect(reader.isInFrame).toBe(true);
});

describe('faults', () => {
  const reading =
    (bytes: Buffer, frameBytesMax = 100) =>
    () => {
      new FrameReader(frameBytesMax).push(bytes, () => {});
    };

  test('a frame that is too great is refused by its header, before its bytes have come', () => {
    expect(reading(encodeFrame(['1']), 7)).not.toThrow();
    expect(reading(encodeFrame(['1']).subarray(0, 4), 6)).toThrow(
      new FrameFault('it sent a frame of 7 bytes; 6 are the limit'),
    );
    expect(reading(Buffer.from('GET / HTTP/1.1\r\n'))).toThrow(FrameFault);
  });

  test.each(['{}', '1', 'null', '[1', '', '[1]]'])('a frame of %s', (body) => {
    const header = Buffer.alloc(4);
    header.writeUInt32BE(body.length);
    expect(reading(Buffer.concat([header, Buffer.from(body)]))).toThrow(
      new FrameFault('it sent a frame that is no JSON array'),
    );
  });
});
