import { appendFileSync, closeSync, fstatSync, ftruncateSync, openSync, readSync, renameSync } from 'node:fs';
import * as v from 'valibot';

/**
 * What a sandbox remembers, on disk: a line of JSON for a request that changed something. Owned by one sandbox.
 *
 * F1 A record says all that its request has changed, and is written before the request is answered. So a kill
 *    leaves a request done and known by its key, or neither.
 * F2 A line without its end was never answered, and is removed: when the file is opened, or when the write fails.
 * F3 What is written outlives the process, not a power cut: nothing is synced.
 */
export class SandboxFile {
  readonly #path: string;
  #file: number | undefined;
  #bytes = 0;
  #records = 0;

  private constructor(path: string) {
    this.#path = path;
  }

  /**
   * Makes the file if there is none; its directory has to be there.
   *
   * @param take is called with each record, oldest first.
   * @throws SandboxFileError
   */
  static open(path: string, take: (record: SandboxRecord) => void): SandboxFile {
    const file = new SandboxFile(path);
    file.#attempt(() => {
      const opened = file.#open();
      try {
        file.#read(opened, take);
      } catch (error) {
        file.close();
        throw error;
      }
    });
    return file;
  }

  /** In the file. */
  get records(): number {
    return this.#records;
  }

  /** @throws SandboxFileError when the record is not in the file. */
  append(record: SandboxRecord): void {
    const line = lineOf(record);
    this.#attempt(() => {
      // Its number may be another file's by now.
      if (this.#file === undefined) throw new Error('it is closed');
      try {
        appendFileSync(this.#file, line);
      } catch (error) {
        ftruncateSync(this.#file, this.#bytes);
        throw error;
      }
      this.#bytes += Buffer.byteLength(line);
      this.#records += 1;
    });
  }

  /** Has these records instead of those that it had; all of them or none, whenever the process ends. */
  rewrite(records: Iterable<SandboxRecord>): void {
    this.#attempt(() => {
      const replacement = `${this.#path}.new`;
      this.#records = writeRecords(replacement, records);
      renameSync(replacement, this.#path);
      this.close();
      this.#bytes = fstatSync(this.#open()).size;
    });
  }

  /** Nothing is taken any more. */
  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #open(): number {
    const opened = openSync(this.#path, 'a+', fileMode);
    this.#file = opened;
    return opened;
  }

  #read(opened: number, take: (record: SandboxRecord) => void): void {
    const lines = wholeLines(opened);
    let line = lines.next();
    for (; line.done !== true; line = lines.next()) {
      this.#records += 1;
      this.#bytes += line.value.length + 1;
      const record = recordOf(line.value);
      if (record === undefined) {
        throw new Error(`line ${this.#records} is not a sandbox's; move the file away to start anew`);
      }
      take(record);
    }
    if (line.value > 0) ftruncateSync(opened, this.#bytes);
  }

  #attempt(action: () => void): void {
    try {
      action();
    } catch (error) {
      throw new SandboxFileError(this.#path, error);
    }
  }
}

const refundSchema = v.object({
  refundId: v.string(),
  intentId: v.string(),
  amount: v.number(),
  currency: v.string(),
  metadata: v.record(v.string(), v.string()),
});

const recordSchema = v.object({
  /** As it is from now on. */
  intent: v.optional(
    v.object({
      intentId: v.string(),
      amount: v.number(),
      currency: v.string(),
      metadata: v.record(v.string(), v.string()),
      isCharged: v.boolean(),
      declineCode: v.optional(v.string()),
      refund: v.optional(refundSchema),
    }),
  ),
  /** The key that is taken from now on. */
  key: v.optional(
    v.object({
      key: v.string(),
      fingerprint: v.string(),
      reply: v.object({ status: v.number(), body: v.string() }),
    }),
  ),
});

export type SandboxRecord = Readonly<v.InferOutput<typeof recordSchema>>;

/** Its message is for people. */
export class SandboxFileError extends Error {
  override name = 'SandboxFileError';

  constructor(path: string, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : cause;
    super(`what the sandbox gateway remembers can't be kept in ${path}: ${reason}`, { cause });
  }
}

const fileMode = 0o600;
const chunkBytes = 1024 * 1024;
/** A record has its request's 64 KiB two times, and a byte of them is seven at most as JSON within JSON. */
const lineBytesMax = 2 * 1024 * 1024;

const lineOf = (record: SandboxRecord): string => `${JSON.stringify(record)}\n`;

/** @returns how many there are. */
function writeRecords(path: string, records: Iterable<SandboxRecord>): number {
  const file = openSync(path, 'w', fileMode);
  let count = 0;
  try {
    for (const record of records) {
      appendFileSync(file, lineOf(record));
      count += 1;
    }
  } finally {
    closeSync(file);
  }
  return count;
}

/** The lines that have an end, without it. @returns the bytes of one that has none. */
function* wholeLines(file: number): Generator<Buffer, number> {
  const chunk = Buffer.alloc(chunkBytes);
  let rest = Buffer.alloc(0);
  let position = 0;
  for (;;) {
    const bytes = readSync(file, chunk, 0, chunk.length, position);
    if (bytes === 0) return rest.length;
    position += bytes;
    const text = Buffer.concat([rest, chunk.subarray(0, bytes)]);
    let start = 0;
    for (let end = text.indexOf(10); end !== -1; end = text.indexOf(10, start)) {
      yield text.subarray(start, end);
      start = end + 1;
    }
    rest = text.subarray(start);
    if (rest.length > lineBytesMax) throw new Error('it has a line that is too long');
  }
}

function recordOf(line: Buffer): SandboxRecord | undefined {
  try {
    const { success, output } = v.safeParse(recordSchema, JSON.parse(line.toString('utf8')));
    return success ? output : undefined;
  } catch {
    return undefined;
  }
}
