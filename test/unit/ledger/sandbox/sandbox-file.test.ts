import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { newIntent, newRefund } from '../../../../src/ledger/sandbox/sandbox-account.ts';
import { SandboxApi } from '../../../../src/ledger/sandbox/sandbox-api.ts';
import { SandboxFileError } from '../../../../src/ledger/sandbox/sandbox-file.ts';
import { startSandboxGateway } from '../../../../src/ledger/sandbox/sandbox-gateway.ts';
import { SandboxMemory } from '../../../../src/ledger/sandbox/sandbox-memory.ts';
import { payment, SandboxClient } from './sandbox-client.ts';

const intents = '/v1/payment_intents';

describe('a sandbox with a file', () => {
  let directory: string;
  let file: string;
  let sandbox: SandboxClient | undefined;
  let memory: SandboxMemory | undefined;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'usher-sandbox-'));
    file = join(directory, 'sandbox-gateway.jsonl');
  });
  afterEach(async () => {
    await sandbox?.close();
    memory?.close();
    sandbox = undefined;
    memory = undefined;
    rmSync(directory, { recursive: true });
  });

  const start = async (): Promise<SandboxClient> => {
    await sandbox?.close();
    sandbox = await SandboxClient.start(file);
    return sandbox;
  };
  const remember = (): SandboxMemory => {
    memory?.close();
    memory = new SandboxMemory(file);
    return memory;
  };
  const lines = () => readFileSync(file, 'utf8').split('\n').slice(0, -1);

  test('gives back what was charged before it was started again, once', async () => {
    const { body: charge } = await (await start()).post(intents, 'k1', payment('approve', 'k1'));
    const form = { payment_intent: charge.id };
    const refund = await (await start()).post('/v1/refunds', 'k1-refund', form);
    expect(refund).toMatchObject({ status: 200, isReplay: false, body: { payment_intent: charge.id } });
    const again = await start();
    expect(await again.post('/v1/refunds', 'k1-refund', form)).toEqual({ ...refund, isReplay: true });
    expect((await again.post('/v1/refunds', 'k2-refund', form)).body.error.code).toBe(
      'charge_already_refunded',
    );
    expect((await again.get('/sandbox/charges')).body.charges).toMatchObject([
      { paymentIntentId: charge.id, refunded: true, refunds: [{ refundId: refund.body.id }] },
    ]);
  });

  test.each(['approve', 'decline-lost-card', 'pm_of-nobody'])(
    '%s: says the same of a key, and takes no other request for it',
    async (card) => {
      const first = await (await start()).post(intents, 'k1', payment(card, 'k1'));
      const again = await start();
      expect(await again.post(intents, 'k1', payment(card, 'k1'))).toEqual({ ...first, isReplay: true });
      const other = await again.post(intents, 'k1', payment(card, 'k1', { amount: '1300' }));
      expect(other.body.error.type).toBe('idempotency_error');
    },
  );

  test('an answer that broke off is there; what hung or was refused before it began leaves no trace', async () => {
    const first = await start();
    await expect(first.post(intents, 'k1', payment('approve-then-drop', 'k1'))).rejects.toThrow();
    await first.post(intents, 'k2', payment('approve', 'k2', { amount: '0' }));
    await expect(first.post(intents, 'k3', payment('hang', 'k3'), AbortSignal.timeout(50))).rejects.toThrow();
    await first.get(`${intents}/search?query=status:'succeeded'`);
    expect(lines()).toHaveLength(1);
    const again = await start();
    expect(await again.post(intents, 'k1', payment('approve-then-drop', 'k1'))).toMatchObject({
      status: 200,
      isReplay: true,
    });
    for (const key of ['k2', 'k3']) {
      expect(await again.post(intents, key, payment('approve', key))).toMatchObject({ isReplay: false });
    }
  });

  test('what is worked on when it closes is not done, and writes to nobody’s file', async () => {
    const first = await start();
    const charging = first.post(intents, 'k1', payment('delay-50', 'k1')).catch(() => undefined);
    await sleep(20);
    const again = await start();
    await charging;
    await sleep(60);
    expect(lines()).toEqual([]);
    expect(await again.post(intents, 'k1', payment('delay-50', 'k1'))).toMatchObject({ isReplay: false });
  });

  test('SIGKILL: charges that were answered can be given back', async () => {
    const program = `import(${JSON.stringify(module)}).then(async ({ startSandboxGateway }) => {
      console.log((await startSandboxGateway({ port: 0, file: ${JSON.stringify(file)} })).url);
    });`;
    const child = spawn(process.execPath, ['--eval', program], { stdio: ['ignore', 'pipe', 'inherit'] });
    const url = `${await once(child.stdout, 'data')}`.trim();
    const headers = { authorization: 'Bearer x', 'idempotency-key': 'k1' };
    const body = new URLSearchParams(payment('approve', 'k1'));
    const response = await fetch(url + intents, { method: 'POST', headers, body });
    const { id } = (await response.json()) as { id: string };
    child.kill('SIGKILL');
    await once(child, 'exit');
    const refund = await (await start()).post('/v1/refunds', 'k2', { payment_intent: id });
    expect(refund.status).toBe(200);
  });

  test('cut off anywhere, every request is there with its key or not at all', async () => {
    const api = new SandboxApi(remember());
    await api.handle(request(intents, 'k1', payment('approve', 'ö')));
    const [{ intentId } = { intentId: '' }] = memory?.account.intents ?? [];
    await api.handle(request('/v1/refunds', 'k2', { payment_intent: intentId }));
    const whole = readFileSync(file);
    const ends = [...whole.keys()].filter((at) => whole[at] === 10).map((at) => at + 1);
    expect(ends).toHaveLength(2);
    for (let bytes = 0; bytes <= whole.length; bytes++) {
      writeFileSync(file, whole.subarray(0, bytes));
      const { account, keys } = remember();
      const done = ends.filter((end) => end <= bytes).length;
      expect([account.size, keys.size, account.find(intentId)?.refund !== undefined]).toEqual([
        Math.min(done, 1),
        done,
        done === 2,
      ]);
      expect(readFileSync(file)).toHaveLength([0, ...ends][done] ?? -1);
    }
  });

  test('after half a line it goes on with a whole one', async () => {
    const first = await start();
    await first.post(intents, 'k1', payment('approve', 'k1'));
    appendFileSync(file, '{"intent":{"intentId":"pi_1",');
    await (await start()).post(intents, 'k2', payment('approve', 'k2'));
    const again = await start();
    expect([await again.chargesOf('k1'), await again.chargesOf('k2')]).toEqual([1, 1]);
    expect(lines()).toHaveLength(2);
  });

  test('is written anew without what is forgotten, and only then', () => {
    const { key: _, ...record } = recordOf('k0');
    for (let more = 1; more <= 3; more++) appendFileSync(file, `${JSON.stringify(record)}\n`);
    const { account, keys } = remember();
    expect([account.size, keys.size, lines().length]).toEqual([1, 0, 1]);
    memory?.keep(recordOf('k1'));
    const written = readFileSync(file, 'utf8');
    expect(remember().keys.begin('k1', 'of k1')).toMatchObject({ kind: 'known' });
    expect(readFileSync(file, 'utf8')).toBe(written);
    expect(lines()).toHaveLength(2);
  });

  test('keeps the newest 100,000 of each', () => {
    const text = Array.from({ length: 200_001 }, (_, made) => JSON.stringify(recordOf(`k${made}`)));
    writeFileSync(file, `${text.join('\n')}\n`);
    for (let starts = 1; starts <= 2; starts++) {
      const { account, keys } = remember();
      expect([account.size, keys.size, lines().length]).toEqual([100_000, 100_000, 200_000]);
      expect(keys.begin('k100001', 'of k100001')).toMatchObject({ kind: 'known' });
      expect(keys.begin('k100000', 'of k100000')).toEqual({ kind: 'new' });
    }
  });

  test('a request that can’t be kept is answered 500, and has changed nothing', async () => {
    const api = new SandboxApi(remember());
    memory?.close();
    const outcome = await api.handle(request(intents, 'k1', payment('approve', 'k1')));
    if (outcome.kind !== 'answer') expect.unreachable(outcome.kind);
    const [reply] = outcome.replies;
    expect(reply?.status).toBe(500);
    expect(JSON.parse(reply?.body ?? '').error).toMatchObject({
      type: 'api_error',
      message: `what the sandbox gateway remembers can't be kept in ${file}: it is closed`,
    });
    expect(memory?.account.size).toBe(0);
    expect(memory?.keys.size).toBe(0);
  });

  test.each<[string, () => void, RegExp]>([
    ['a directory', () => (file = directory), /EISDIR/],
    ['in no directory', () => (file = join(directory, 'none', 'file')), /ENOENT/],
    ['somebody else’s', () => writeFileSync(file, 'port = 1\nhost = x\n'), /line 1 is not a sandbox's/],
    ['another JSON', () => writeFileSync(file, '{"intent":1}\n'), /line 1 is not a sandbox's/],
    ['damaged', () => writeFileSync(file, '{}\n{"key"\n{}\n'), /line 2 is not a sandbox's/],
    ['without lines', () => writeFileSync(file, 'x'.repeat(2 ** 21 + 1)), /a line that is too long/],
  ])('a file that is %s: it does not start, and says so', async (_, prepare, reason) => {
    prepare();
    const starting = startSandboxGateway({ port: 0, file }).catch((error: unknown) => error);
    const error = await starting;
    if (!(error instanceof SandboxFileError)) expect.unreachable();
    expect(error.message).toContain(`what the sandbox gateway remembers can't be kept in ${file}: `);
    expect(error.message).toMatch(reason);
  });
});

const module = new URL('../../../../src/ledger/sandbox/sandbox-gateway.ts', import.meta.url);

const request = (path: string, key: string, form: Record<string, string>) => ({
  method: 'POST',
  path,
  form: new URLSearchParams(form),
  isAuthorized: true,
  key,
});

/** A charge that was given back. */
function recordOf(key: string) {
  const intent = newIntent({ amount: 1, currency: 'eur', metadata: {} }, { isCharged: true });
  return {
    intent: { ...intent, refund: newRefund(intent, {}) },
    key: { key, fingerprint: `of ${key}`, reply: { status: 200, body: '{}' } },
  };
}
