import { spawnSync } from 'node:child_process';

/** What the command wrote to its output. @throws Error with all that it wrote, when it fails. */
export function runCommand(
  command: string,
  args: readonly string[],
  options: { environment?: Readonly<Record<string, string>>; folder?: string } = {},
): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    encoding: 'utf8',
    env: { ...process.env, ...options.environment },
    ...(options.folder === undefined ? {} : { cwd: options.folder }),
    // Some write a line for every file they touch.
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status === 0) return stdout;
  throw new Error(
    `${command} ${args.join(' ')} failed:\n${error?.message ?? ''}${stdout ?? ''}${stderr ?? ''}`,
  );
}

/** Says that something is being done, does it, and says how long it took. */
export function announced<Result>(what: string, about: string, work: () => Result): Result {
  console.error(`usher: ${what} (${about}) …`);
  const startedMs = performance.now();
  const result = work();
  console.error(`usher: ${what}: done in ${((performance.now() - startedMs) / 1_000).toFixed(1)} s`);
  return result;
}
