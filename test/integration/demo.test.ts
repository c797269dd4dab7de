import { spawnSync } from 'node:child_process';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { Buyer, chargesOf } from './buyer.ts';
import { adminToken, clients, temporaryDirectory, UsherProcess } from './usher-process.ts';

/** The demo with a sandbox gateway of its own: one a data directory, and its account outlives the process. */
const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const crashAtStep = fileURLToPath(new URL('./crash-at-step.ts', import.meta.url));
const settledWithinMs = 10_000;
/** The small hall of the demo. */
const scheduleId = 1;

const startDemo = (dataDir: string, environment: Record<string, string> = {}, nodeOptions: string[] = []) =>
  UsherProcess.start(
    dataDir,
    { ADMIN_TOKEN: adminToken, CLIENTS: clients, ...environment },
    'demo',
    nodeOptions,
  );

/** A demo that is not to start. One that hangs is ended, and has no status. */
function demoThatEnds(dataDir: string, environment: Record<string, string> = {}) {
  const { status, stderr } = spawnSync(process.execPath, [main, 'demo'], {
    encoding: 'utf8',
    timeout: 60_000,
    killSignal: 'SIGKILL',
    env: { PATH: process.env['PATH'], PORT: '0', ADMIN_PORT: '0', DATA_DIR: dataDir, ...environment },
  });
  return { status, stderr };
}

const sandboxUrl = (demo: UsherProcess): string =>
  /sandbox gateway at (http:\S+),/.exec(demo.output)?.[1] ?? 'no sandbox';

async function holdOne(demo: UsherProcess, buyer: Buyer): Promise<string> {
  const wanted = { scheduleId, bestAvailable: { quantity: 1 } };
  const { status, text, body } = await buyer.call(demo, 'POST', '/reservations', wanted);
  expect(status, text).toBe(201);
  return body.reservationId;
}

async function openPayments(demo: UsherProcess): Promise<string | undefined> {
  const text = await (await demo.admin('GET', '/metrics')).text();
  return /^usher_open_payments (\d+)$/m.exec(text)?.[1];
}

describe('a demo that can’t start ends with 1 and says why', () => {
  test('its directory is in use: the demo that has it goes on, and forgets no charge', async () => {
    const directory = temporaryDirectory();
    let demo = await startDemo(directory.path);
    try {
      const ada = await Buyer.of(demo, 'ada');
      const first = await holdOne(demo, ada);
      expect((await ada.pay(demo, first, 'decline-lost-card')).status).toBe(402);
      expect((await ada.pay(demo, first, 'approve')).status).toBe(200);

      const second = demoThatEnds(directory.path);
      expect(second.status, second.stderr).toBe(1);
      expect(second.stderr).toContain(`${directory.path} is in use by process ${demo.pid}`);

      const next = await holdOne(demo, ada);
      expect((await ada.pay(demo, next, 'approve')).status).toBe(200);
      await demo.stop('SIGKILL');
      demo = await startDemo(directory.path);
      for (const id of [first, next]) expect(await chargesOf(sandboxUrl(demo), id)).toHaveLength(1);
    } finally {
      await demo.stop('SIGKILL');
      directory.remove();
    }
  });

  test('its port is in use; with a free one it starts in the same directory', async () => {
    const [directory, other] = [temporaryDirectory(), temporaryDirectory()];
    const demo = await startDemo(directory.path);
    try {
      for (const name of ['PORT', 'ADMIN_PORT']) {
        const url = name === 'PORT' ? demo.publicUrl : demo.adminUrl;
        const { port } = new URL(url);
        const second = demoThatEnds(other.path, { [name]: port });
        expect(second.status, second.stderr).toBe(1);
        expect(second.stderr).toContain(`EADDRINUSE: address already in use 127.0.0.1:${port}`);
      }
      const third = await startDemo(other.path);
      expect(await third.stop('SIGTERM')).toBe(0);
    } finally {
      await demo.stop('SIGKILL');
      directory.remove();
      other.remove();
    }
  });

  test('the account of its sandbox is something else', () => {
    const directory = temporaryDirectory();
    try {
      const file = join(directory.path, 'sandbox-gateway.jsonl');
      writeFileSync(file, 'my notes\n');
      const { status, stderr } = demoThatEnds(directory.path);
      expect(status, stderr).toBe(1);
      expect(stderr).toContain(file);
      expect(stderr).not.toContain('    at ');
    } finally {
      directory.remove();
    }
  });
});

test('kill -9 after a late approval: the card is given back when the demo is there again', async () => {
  const directory = temporaryDirectory();
  const slow = {
    HOLD_TTL_SECONDS: '2',
    PAYMENT_TIME_MAX_SECONDS: '2',
    PAY_WAIT_MAX_MS: '500',
    GATEWAY_CALL_MAX_MS: '1900',
  };
  let demo = await startDemo(directory.path, { ...slow, CRASH_AT_STEP: 's1-durable' }, [
    '--import',
    crashAtStep,
  ]);
  try {
    const ada = await Buyer.of(demo, 'ada');
    const reservationId = await holdOne(demo, ada);
    expect((await ada.pay(demo, reservationId, 'delay-2500', 'late')).status).toBe(202);
    expect(await demo.exited(), 'approved when the seat was gone').toBe('SIGKILL');

    demo = await startDemo(directory.path, slow);
    const charges = () => chargesOf(sandboxUrl(demo), reservationId);
    await expect
      .poll(async () => (await charges()).map(({ refunds }) => refunds.length), { timeout: settledWithinMs })
      .toEqual([1]);
    await expect.poll(() => openPayments(demo), { timeout: settledWithinMs }).toBe('0');
    expect(await ada.read(demo, reservationId)).toMatchObject({ status: 'EXPIRED' });

    await demo.stop('SIGKILL');
    demo = await startDemo(directory.path, slow);
    expect(
      (await charges()).map(({ refunds }) => refunds.length),
      'once',
    ).toEqual([1]);
    expect(await openPayments(demo)).toBe('0');
  } finally {
    await demo.stop('SIGKILL');
    directory.remove();
  }
});

test('what it keeps is for its owner alone', async () => {
  const directory = temporaryDirectory();
  const demo = await startDemo(directory.path);
  try {
    const ada = await Buyer.of(demo, 'ada');
    expect((await ada.charge(demo, 500, 'first')).status).toBe(200);
    expect((await ada.pay(demo, await holdOne(demo, ada), 'approve')).status).toBe(200);
    const kept = ['usher.db', 'usher.db-wal', 'ledger.db', 'ledger.db-wal', 'sandbox-gateway.jsonl'];
    const modes = kept.map((name) => (statSync(join(directory.path, name)).mode & 0o777).toString(8));
    expect(modes).toEqual(kept.map(() => '600'));
  } finally {
    await demo.stop('SIGKILL');
    directory.remove();
  }
});
