/** Bytes of a client's stream that belong together: `statement` is the text of the query that they are. */
export interface ClientBytes {
  readonly bytes: Buffer;
  readonly statement: string | undefined;
}

const headerBytes = 4;
const queryCommand = 0x03;
/** Longer ones are passed on as they come, unread. */
const statementBytesMax = 1_024;

/**
 * Finds the short statements in what a client of MySQL sends, however it is cut into chunks. A packet is its
 * length in 3 bytes, a sequence number, and what it says; one with the number 0 begins a command.
 */
export class MysqlStatements {
  /** The beginning of a packet of which more must be known. */
  #held: Buffer = Buffer.alloc(0);
  /** Of a packet that is passed on unread. */
  #unreadBytes = 0;

  /** What can be passed on, in order. A packet that may be a short statement is held until it is complete. */
  *take(chunk: Buffer): Generator<ClientBytes> {
    let rest = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    for (;;) {
      if (this.#unreadBytes > 0) {
        const bytes = rest.subarray(0, this.#unreadBytes);
        rest = rest.subarray(bytes.length);
        this.#unreadBytes -= bytes.length;
        if (bytes.length > 0) yield { bytes, statement: undefined };
      }
      this.#held = rest;
      if (rest.length < headerBytes) return;
      const packetBytes = headerBytes + rest.readUIntLE(0, 3);
      if (rest[3] === 0 && packetBytes <= statementBytesMax) {
        if (rest.length < packetBytes) return;
        const bytes = rest.subarray(0, packetBytes);
        rest = rest.subarray(packetBytes);
        yield { bytes, statement: statementOf(bytes.subarray(headerBytes)) };
      } else {
        this.#unreadBytes = packetBytes;
      }
    }
  }
}

function statementOf(payload: Buffer): string | undefined {
  if (payload[0] !== queryCommand) return undefined;
  // MySQL 8 has query attributes before the text, of which we send none: a count of 0 and the number 1.
  const hasAttributes = payload[1] === 0 && payload[2] === 1;
  return payload.subarray(hasAttributes ? 3 : 1).toString();
}
