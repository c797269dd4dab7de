import type { MoveCounts } from './follow-moves.ts';

interface Terminal {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** How moves go: one line that changes on a terminal, a line for each change elsewhere. */
export class MoveProgress {
  readonly #terminal: Terminal;
  #shown = '';

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  show({ total, done, inFlight, failed }: MoveCounts): void {
    this.#line(`moved ${done} of ${total}, ${inFlight} in flight, ${failed} failed`);
  }

  /** The node does not answer for now. */
  showSilence(reason: string): void {
    this.#line(`${reason}; asking again`);
  }

  /** What comes next starts on a line of its own. */
  end(): void {
    if (this.#terminal.isTTY === true && this.#shown !== '') this.#terminal.write('\n');
  }

  #line(text: string): void {
    if (text === this.#shown) return;
    this.#shown = text;
    this.#terminal.write(this.#terminal.isTTY === true ? `\r\x1b[K${text}` : `${text}\n`);
  }
}
