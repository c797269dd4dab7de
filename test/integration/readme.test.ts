import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { temporaryDirectory, UsherProcess } from './usher-process.ts';

/** The lines of the README, as a person would copy them; only the port is that of the test. */
const run = promisify(execFile);
const directory = temporaryDirectory();
let usher: UsherProcess;

beforeAll(async () => {
  usher = await UsherProcess.start(directory.path, {}, 'demo');
});

afterAll(async () => {
  await usher?.stop('SIGKILL');
  directory.remove();
});

const readmeLines = (): readonly string[] => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const block = /```sh\n(TOKEN=[\s\S]*?)```/.exec(readme)?.[1] ?? '';
  return block.split('\n').filter((line) => line !== '');
};

const shell = async (lines: readonly string[]): Promise<string> => {
  const script = lines.join('\n').replaceAll('http://127.0.0.1:8080', usher.publicUrl);
  return (await run('bash', ['-c', script])).stdout;
};

test('the demo prints the lines that the README shows', () => {
  const lines = readmeLines();
  expect(lines).toHaveLength(5);
  for (const line of lines)
    expect(usher.output).toContain(line.replaceAll('http://127.0.0.1:8080', usher.publicUrl));
  expect(usher.output).toMatch(/This is a demo/);
  expect(usher.output).toMatch(/sandbox gateway at http:\/\/127\.0\.0\.1:\d+, and no money moves/);
});

test('token, best available, charge, pay, balance; all of it survives kill -9 and is answered again', async () => {
  const [token = '', hold = '', charge = '', pay = '', balance = ''] = readmeLines();
  const reservation = JSON.parse(await shell([token, hold]));
  expect(reservation).toMatchObject({ status: 'HELD', scheduleId: 4, seats: [{}, {}] });
  expect(JSON.parse(await shell([token, charge]))).toMatchObject({ userId: 'ada', balance: 50_000 });
  const paid = JSON.parse(await shell([token, pay]));
  expect(paid).toMatchObject({ reservationId: reservation.reservationId, status: 'PAID' });
  const left = { userId: 'ada', balance: 50_000 - reservation.totalMinor };
  expect(JSON.parse(await shell([token, balance]))).toEqual(left);

  await usher.stop('SIGKILL');
  usher = await UsherProcess.start(directory.path, {}, 'demo');
  expect(JSON.parse(await shell([token, hold])), 'the same answer again').toEqual(reservation);
  expect(JSON.parse(await shell([token, pay])), 'and again').toEqual(paid);
  expect(JSON.parse(await shell([token, charge]))).toMatchObject({ balance: 50_000 });
  expect(JSON.parse(await shell([token, balance])), 'paid once, charged once').toEqual(left);
  const look = `curl -s '${usher.publicUrl}/reservations/available/dates?performanceId=2'`;
  expect(JSON.parse(await shell([look])).schedules[0]).toMatchObject({
    scheduleId: 4,
    capacity: 50_000,
    available: 49_998,
  });
});

test('a card of the sandbox that the demo runs', async () => {
  const [token = ''] = readmeLines();
  const post = (path: string, key: string, body: object) =>
    `curl -s http://127.0.0.1:8080${path} -H "authorization: Bearer $TOKEN" -H 'content-type: application/json' -H 'idempotency-key: ${key}' -d '${JSON.stringify(body)}'`;
  const hold = JSON.parse(
    await shell([token, post('/reservations', 'card', { scheduleId: 4, bestAvailable: { quantity: 1 } })]),
  );
  const { reservationId } = hold;
  const pay = (cardToken: string) =>
    shell([token, post('/reservations/pay', cardToken, { reservationId, method: 'card', cardToken })]);
  expect(JSON.parse(await pay('decline-insufficient-funds'))).toMatchObject({
    code: 'payment-declined',
    declineCode: 'insufficient_funds',
  });
  expect(JSON.parse(await pay('approve'))).toMatchObject({ status: 'PAID', reservationId });
});

test('secrets are kept with mode 600 and tokens are for this machine', async () => {
  const { stdout } = await run('stat', [
    '-c',
    '%a',
    `${directory.path}/admin-token`,
    `${directory.path}/token-secret`,
  ]);
  expect(stdout).toBe('600\n600\n');
});

test('the documentation page needs nothing from elsewhere', async () => {
  const page = await (await fetch(`${usher.publicUrl}/docs`)).text();
  expect(page).toContain('POST');
  expect(page).not.toMatch(/(src|href)="(https?:)?\/\//);
  const document = (await (await fetch(`${usher.publicUrl}/openapi.json`)).json()) as {
    openapi: string;
    paths: object;
  };
  expect(document.openapi).toMatch(/^3\.1/);
  expect(Object.keys(document.paths)).toContain('/reservations');
});
