import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Redis as RedisClient } from 'ioredis';
import { describe, expect, test } from 'vitest';
import { isListening } from './loopback-port.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

describe('npm run servers', () => {
  interface Running {
    readonly child: ChildProcess;
    readonly exited: Promise<unknown>;
    readonly url: string;
    readonly port: number;
    readonly folder: string;
  }

  /** In a process group of its own, as a terminal has it. Without `preservers`: what runs is installed. */
  async function start(): Promise<Running> {
    const child = spawn('npm', ['run', '--ignore-scripts', 'servers', '--', '--only', 'redis'], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
    });
    const exited = once(child, 'exit');
    let output = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      output += chunk;
    });
    const exportLine = /^export REDIS_URL='(redis:\/\/127\.0\.0\.1:([0-9]+))'$/m;
    await expect.poll(() => output, { timeout: 30_000 }).toMatch(exportLine);
    const [, url = '', port] = exportLine.exec(output) ?? [];
    expect(output.match(/^export/gm)).toHaveLength(1);
    const redis = new RedisClient(url);
    const [, folder = ''] = (await redis.config('GET', 'dir')) as string[];
    redis.disconnect();
    return { child, exited, url, port: Number(port), folder };
  }

  test.each(['SIGINT', 'SIGTERM', 'SIGKILL'] as const)(
    '%s ends it, and its servers with it',
    async (signal) => {
      const { child, exited, port, folder } = await start();
      expect([await isListening(port), existsSync(folder)]).toEqual([true, true]);
      process.kill(-(child.pid ?? 0), signal);
      await exited;
      await expect.poll(() => isListening(port), { timeout: 10_000 }).toBe(false);
      await expect.poll(() => existsSync(folder), { timeout: 10_000 }).toBe(false);
    },
  );

  test('names the servers there are', async () => {
    const args = ['scripts/servers/main.ts', '--only', 'postgres'];
    const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk;
    });
    expect(await once(child, 'close')).toEqual([2, null]);
    expect(said).toBe('usher: no such server: postgres; there are mysql, redis, kafka\n');
  });
});
