/**
 * `npm run docker:check`: builds the image and tries it, as an operator would run it: read-only, without rights,
 * its ports on loopback. A minute or two, so it is no part of `npm test`.
 *
 * Needs Docker: a daemon that runs, or dockerd and root, who has it installed by apt-get where it is missing; it
 * is ended again if it was started here. Where the images that the Dockerfile names can't be pulled, it makes its
 * own with mmdebstrap and the npm package `node`. Nothing else is left behind but what `.cache` keeps, and, of a
 * daemon that ran before, images that were pulled.
 *
 * The last line is `N passed, N failed`.
 */
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { Docker } from './docker/docker.ts';
import { reachDaemon } from './docker/docker-daemon.ts';
import { imageChecks } from './docker/image-checks.ts';
import { stageImages } from './docker/stage-images.ts';
import { TrialContainer } from './docker/trial-container.ts';
import { announced } from './servers/run-command.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
/** Name of the images' repository and of the volume, and label of the containers: nobody else's. */
const id = `usher-check-${randomBytes(4).toString('hex')}`;
const label = `usher-check=${id}`;

const tally = { passed: 0, failed: 0 };

/** @returns whether it passed. */
async function check(name: string, run: () => string | Promise<string>): Promise<boolean> {
  try {
    console.log(`ok   ${name}: ${await run()}`);
    tally.passed += 1;
    return true;
  } catch (error) {
    console.log(`FAIL ${name}: ${error instanceof Error ? error.message : error}`);
    tally.failed += 1;
    return false;
  }
}

/** @returns its size, as people read it. */
function build(docker: Docker, image: string): string {
  const { buildImage, baseImage } = stageImages(docker, id);
  const shared = [
    ...['build', '--force-rm', '--network', 'host', '--label', label],
    ...['--build-arg', `BUILD_IMAGE=${buildImage}`, '--build-arg', `BASE_IMAGE=${baseImage}`],
  ];
  announced(`building the image on ${baseImage}`, 'about 30 s', () => {
    // By itself first: so it has a name to be removed by.
    docker.run(...shared, '--target', 'build', '--tag', `${id}:build`, root);
    docker.run(...shared, '--tag', image, root);
  });
  const bytes = (name: string) => Number(docker.run('image', 'inspect', '--format', '{{.Size}}', name));
  const megabytes = (size: number) => `${Math.round(size / 1_000_000)} MB`;
  return `${megabytes(bytes(image))}, of which its base is ${megabytes(bytes(baseImage))}`;
}

/** @returns what is still there afterwards. */
function removeAll(docker: Docker): readonly string[] {
  const containers = () => docker.list('ps', '--all', '--quiet', '--filter', `label=${label}`);
  const volumes = () => docker.list('volume', 'ls', '--quiet', '--filter', `name=${id}`);
  const images = () => [
    ...docker.list('images', '--format', '{{.Repository}}:{{.Tag}}', id),
    ...docker.list('images', '--quiet', '--filter', `label=${label}`),
  ];
  const remove = (command: readonly string[], found: readonly string[]) => {
    if (found.length > 0) docker.attempt([...command, ...found]);
  };
  remove(['rm', '--force', '--volumes'], containers());
  remove(['volume', 'rm'], volumes());
  remove(['rmi', '--force'], docker.list('images', '--format', '{{.Repository}}:{{.Tag}}', id));
  return [...containers(), ...volumes(), ...images()];
}

async function run(): Promise<void> {
  const { docker, end } = await reachDaemon();
  try {
    const image = `${id}:latest`;
    if (!(await check('the image is built', () => build(docker, image)))) return;
    const container = new TrialContainer(docker, image, label, id);
    for (const { name, run } of imageChecks) {
      if (isAskedToStop) throw new Error('stopped by a signal');
      // The next ones would only say the same again.
      if (!(await check(name, () => run({ docker, image, container, label })))) return;
    }
  } finally {
    await check('nothing is left behind', () => {
      const left = removeAll(docker);
      if (left.length > 0) throw new Error(left.join(', '));
      return 'no container, volume or image';
    });
    await end();
  }
}

let isAskedToStop = false;
// Heeded between two checks: what was started is ended first.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => (isAskedToStop = true));
try {
  await run();
} catch (error) {
  console.error(`usher: ${error instanceof Error ? error.message : error}`);
  tally.failed += 1;
}
process.exitCode = tally.failed === 0 ? 0 : 1;
console.log(`${tally.passed} passed, ${tally.failed} failed`);
