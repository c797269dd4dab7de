import assert from 'node:assert/strict';
import type { Docker } from './docker.ts';
import { type TrialContainer, trialSecrets } from './trial-container.ts';

/** What a check looks at. */
interface Trial {
  readonly docker: Docker;
  readonly image: string;
  /** Started when the first check begins. */
  readonly container: TrialContainer;
  /** What every container of this trial is found by. */
  readonly label: string;
}

interface ImageCheck {
  readonly name: string;
  /** @returns what was seen, for people. @throws what was wrong. */
  readonly run: (trial: Trial) => string | Promise<string>;
}

/** What a node needs at run time is Node and its own files. */
const unwantedPrograms = [
  ...['npm', 'npx', 'corepack', 'yarn', 'pnpm', 'tsc', 'biome', 'vitest'],
  ...['cc', 'gcc', 'g++', 'clang', 'ld', 'as', 'make', 'cmake', 'python3', 'git', 'curl', 'wget'],
];
const unwantedPackages = ['typescript', '@typescript', 'vitest', '@biomejs', 'node', 'npm', 'mitata'];

const userId = 'ann';
const stopGraceS = 10;

/** In this order: each finds the container as the one before has left it. */
export const imageChecks: readonly ImageCheck[] = [
  {
    name: 'the image starts `serve` by itself, and says what it misses',
    run: ({ docker, image, label }) => {
      const { status, output } = docker.attempt(['run', '--rm', '--label', label, image]);
      assert.match(output, /JWT_SECRET/);
      assert.match(output, /ADMIN_TOKEN/);
      assert.notEqual(status, 0);
      return `exit code ${status}`;
    },
  },
  {
    name: 'Docker calls it healthy',
    run: async ({ container }) => `after ${(await container.untilHealthy()).toFixed(1)} s`,
  },
  {
    name: 'its public port answers',
    run: async ({ container }) => {
      const bodies = [];
      for (const path of ['/healthz', '/readyz', '/performances']) {
        const response = await fetch(container.url(8080) + path, { headers: { 'x-request-id': 'trial-1' } });
        assert.equal(response.status, 200, path);
        assert.equal(response.headers.get('x-request-id'), 'trial-1');
        bodies.push(`${path} ${await response.text()}`);
      }
      return bodies.join(', ');
    },
  },
  {
    name: 'its admin port wants its token',
    run: async ({ container }) => {
      const metrics = `${container.url(8081)}/metrics`;
      const stranger = await fetch(metrics);
      const operator = await fetch(metrics, {
        headers: { authorization: `Bearer ${trialSecrets.ADMIN_TOKEN}` },
      });
      assert.deepEqual([stranger.status, operator.status], [401, 200]);
      return '401 without, 200 with it';
    },
  },
  {
    name: 'its command line reaches the node from inside',
    run: ({ container }) => {
      const { status, output } = container.exec('node', 'src/main.ts', 'schedules', '--json');
      assert.equal(status, 0, output);
      return 'usher schedules';
    },
  },
  {
    name: 'process 1 is Node, with no rights to speak of',
    run: ({ container }) => {
      const status = container.evaluate(`fs.readFileSync('/proc/1/status', 'utf8')`);
      const field = (name: string) => new RegExp(`^${name}:\\s+(.*)$`, 'm').exec(status)?.[1];
      assert.match(field('Name') ?? '', /node/);
      assert.equal(field('Uid'), '10001\t10001\t10001\t10001');
      assert.equal(field('Gid'), '10001\t10001\t10001\t10001');
      assert.equal(field('CapEff'), '0000000000000000');
      assert.equal(field('NoNewPrivs'), '1');
      return 'uid and gid 10001, no capabilities';
    },
  },
  {
    name: 'no npm, compilers or tools are in it',
    run: ({ container }) => {
      const found = container.evaluate(`
        const folders = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];
        const paths = folders.flatMap((folder) => ${JSON.stringify(unwantedPrograms)}.map((name) => folder + '/' + name))
          .concat(${JSON.stringify(unwantedPackages)}.map((name) => '/usher/node_modules/' + name));
        JSON.stringify(paths.concat('/usher/test', '/usher/.git').filter((path) => fs.existsSync(path)))`);
      assert.equal(found, '[]');
      // The same look finds what is there.
      assert.equal(container.evaluate(`fs.existsSync('/usher/node_modules/hono')`), 'true');
      return `none of ${unwantedPrograms.length} programs and ${unwantedPackages.length} packages`;
    },
  },
  {
    name: 'it can write to its volume and /tmp, and to nothing else',
    run: ({ container }) => {
      const outcomeOf = (folder: string) =>
        container.evaluate(`
          try { fs.writeFileSync('${folder}/trial', ''); fs.rmSync('${folder}/trial'); 'written' }
          catch (error) { error.code }`);
      const folders = ['/data', '/tmp', '/', '/usher', '/usher/src', '/usr/local/bin', '/etc', '/var/tmp'];
      const outcomes = Object.fromEntries(folders.map((folder) => [folder, outcomeOf(folder)]));
      for (const folder of folders) {
        const isOwn = folder === '/data' || folder === '/tmp';
        // Where the user may not write, that is said before the file system is asked.
        assert.match(outcomes[folder] ?? '', isOwn ? /^written$/ : /^(EROFS|EACCES)$/, folder);
      }
      return JSON.stringify(outcomes);
    },
  },
  {
    name: 'a user is given points',
    run: async ({ container }) => {
      assert.equal(await chargePoints(container.url(8080), 500), 500);
      return 'balance 500';
    },
  },
  {
    name: 'it ends by SIGTERM, with exit code 0',
    run: ({ container }) => {
      const seconds = container.stop();
      const { ExitCode, OOMKilled } = container.state();
      assert.deepEqual({ ExitCode, OOMKilled }, { ExitCode: 0, OOMKilled: false }, container.log());
      assert.ok(seconds < stopGraceS, `it took ${seconds} s`);
      assert.match(container.log(), /SIGTERM/);
      return `after ${seconds.toFixed(1)} s`;
    },
  },
  {
    name: 'started again it knows what it answered',
    run: async ({ container }) => {
      container.start();
      await container.untilHealthy();
      assert.equal(await chargePoints(container.url(8080), 1), 501);
      container.stop();
      assert.equal(container.state().ExitCode, 0);
      return 'balance 501';
    },
  },
];

/** @returns the balance. */
async function chargePoints(url: string, amount: number): Promise<number> {
  const json = { 'content-type': 'application/json' };
  const basic = Buffer.from(trialSecrets.client).toString('base64');
  const issued = await fetch(`${url}/auth/token`, {
    method: 'POST',
    headers: { ...json, authorization: `Basic ${basic}` },
    body: JSON.stringify({ userId, scopes: ['points:charge'] }),
  });
  assert.equal(issued.status, 200);
  const { accessToken } = (await issued.json()) as { accessToken: string };
  const charged = await fetch(`${url}/points/charge`, {
    method: 'POST',
    headers: { ...json, authorization: `Bearer ${accessToken}`, 'idempotency-key': `trial-${amount}` },
    body: JSON.stringify({ amount }),
  });
  assert.equal(charged.status, 200);
  return ((await charged.json()) as { balance: number }).balance;
}
