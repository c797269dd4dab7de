/** One command of the command line. */
export interface CliCommand {
  readonly name: string;
  readonly summary: string;
  /** What follows the name, as in `SCHEDULE SEAT…`. */
  readonly synopsis: string;
  /** Lines of --help after the synopsis. */
  readonly details: readonly string[];
  /** @returns the exit code: 0 done, 1 failed. @throws UsageError for 2. */
  run(args: readonly string[]): Promise<number>;
}

/** The command was called wrongly: exit code 2. */
export class UsageError extends Error {
  override name = 'UsageError';
}
