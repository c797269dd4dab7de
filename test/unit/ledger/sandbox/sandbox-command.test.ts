import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { UsageError } from '../../../../src/cli/command.ts';
import { sandboxGateway } from '../../../../src/cli/sandbox-gateway.ts';

const module = new URL('../../../../src/cli/sandbox-gateway.ts', import.meta.url);

/** The command in a process of its own. */
function run(...args: readonly string[]) {
  const program = `import(${JSON.stringify(module)}).then(async ({ sandboxGateway }) => {
    process.exitCode = await sandboxGateway.run(${JSON.stringify(args)});
  });`;
  const child = spawn(process.execPath, ['--eval', program], { stdio: ['ignore', 'pipe', 'pipe'] });
  return { child, exited: once(child, 'exit'), line: once(child.stdout, 'data').then(String) };
}

describe('usher sandbox-gateway', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)('listens on a free port, and ends on %s', async (signal) => {
    const { child, exited, line } = run('--port', '0');
    const [, url] =
      /^sandbox gateway listening on (http:\/\/127\.0\.0\.1:[1-9][0-9]*)\n$/.exec(await line) ?? [];
    const response = await fetch(`${url}/sandbox/charges`);
    expect(await response.json()).toEqual({ charges: [] });
    child.kill(signal);
    expect(await exited).toEqual([0, null]);
  });

  test('says when the port is taken', async () => {
    const first = run('--port', '0');
    const [, port = ''] = /:([0-9]+)\n$/.exec(await first.line) ?? [];
    const second = run('--port', port);
    const [said] = await once(second.child.stderr, 'data');
    expect(`${said}`).toMatch(/^usher: .*EADDRINUSE/);
    expect(await second.exited).toEqual([1, null]);
    first.child.kill('SIGTERM');
    await first.exited;
  });

  test.each(['x', '65536', '-1', ''])('--port %s is no port', async (port) => {
    await expect(sandboxGateway.run([`--port=${port}`])).rejects.toThrow(UsageError);
  });

  test.each(['approve', 'decline-', 'delay-', 'hang', 'approve-then-drop', 'twice', '/sandbox/down'])(
    'its help tells of %s',
    (word) => {
      expect(sandboxGateway.details.some((line) => line.includes(word))).toBe(true);
    },
  );
});
