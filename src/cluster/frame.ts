/**
 * How messages lie on the wire: 4 bytes, the length of what follows, big-endian; then a JSON array in UTF-8, of all
 * the messages that were sent together. So many calls share one write, one read and one parse.
 */
const headerBytes = 4;

/** @param texts JSON of each message. */
export function encodeFrame(texts: readonly string[]): Buffer {
  const body = `[${texts.join(',')}]`;
  const frame = Buffer.allocUnsafe(headerBytes + Buffer.byteLength(body));
  frame.writeUInt32BE(frame.length - headerBytes, 0);
  frame.write(body, headerBytes);
  return frame;
}

export class FrameFault extends Error {
  override name = 'FrameFault';
}

/** Cuts what arrives into frames. Keeps no more than the frame that is on its way. */
export class FrameReader {
  readonly #frameBytesMax: number;
  /** What has come of the frame that is not complete. */
  #chunks: Buffer[] = [];
  #bytes = 0;
  /** Of that frame with its header; 0 while that is not known. */
  #frameBytes = 0;

  constructor(frameBytesMax: number) {
    this.#frameBytesMax = frameBytesMax;
  }

  /** Whether a frame has begun and not ended. */
  get isInFrame(): boolean {
    return this.#bytes > 0;
  }

  /**
   * Gives the messages of each frame that is complete now to `onMessages`.
   * @throws FrameFault, and what `onMessages` throws; the reader can't be used after that.
   */
  push(chunk: Buffer, onMessages: (messages: readonly unknown[]) => void): void {
    if (this.#bytes > 0) {
      this.#chunks.push(chunk);
      this.#bytes += chunk.length;
      if (this.#bytes < this.#frameBytes) return;
      chunk = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks, this.#bytes);
    }
    let at = 0;
    for (;;) {
      this.#frameBytes = this.#frameBytesAt(chunk, at);
      if (this.#frameBytes === 0 || chunk.length - at < this.#frameBytes) break;
      const end = at + this.#frameBytes;
      onMessages(parseBody(chunk.toString('utf8', at + headerBytes, end)));
      at = end;
    }
    this.#bytes = chunk.length - at;
    this.#chunks = this.#bytes > 0 ? [at > 0 ? chunk.subarray(at) : chunk] : [];
  }

  #frameBytesAt(chunk: Buffer, at: number): number {
    if (chunk.length - at < headerBytes) return 0;
    const frameBytes = headerBytes + chunk.readUInt32BE(at);
    if (frameBytes <= this.#frameBytesMax) return frameBytes;
    throw new FrameFault(`it sent a frame of ${frameBytes} bytes; ${this.#frameBytesMax} are the limit`);
  }
}

function parseBody(body: string): readonly unknown[] {
  let messages: unknown;
  try {
    messages = JSON.parse(body);
  } catch {
    messages = undefined;
  }
  if (Array.isArray(messages)) return messages;
  throw new FrameFault('it sent a frame that is no JSON array');
}
