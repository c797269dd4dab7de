import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cachedFolder } from '../servers/cached-folder.ts';
import { installedProgram } from '../servers/installed.ts';
import { announced, runCommand } from '../servers/run-command.ts';
import type { Docker } from './docker.ts';

/** The two images that the Dockerfile stands on. */
interface StageImages {
  readonly buildImage: string;
  readonly baseImage: string;
  /** Tags to be removed when the check is over. */
  readonly ownTags: readonly string[];
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const pullTimeoutMs = 180_000;
const npmVersion = '11.19.1';
const certificates = '/etc/ssl/certs/ca-certificates.crt';

/** Those that the Dockerfile names; where they can't be pulled, ones that are made here. @param id of the check. */
export function stageImages(docker: Docker, id: string): StageImages {
  const named = {
    buildImage: defaultOf('BUILD_IMAGE'),
    baseImage: defaultOf('BASE_IMAGE'),
    ownTags: [],
  };
  const isHad = [named.buildImage, named.baseImage].every((image) => {
    if (docker.attempt(['image', 'inspect', image]).status === 0) return true;
    console.error(`usher: pulling ${image} …`);
    return docker.attempt(['pull', '--quiet', image], pullTimeoutMs).status === 0;
  });
  if (isHad) return named;
  console.error('usher: that can’t be pulled; making images in its place');
  return makeImages(docker, id);
}

/** What the Dockerfile takes an ARG to be. */
function defaultOf(name: string): string {
  const value = new RegExp(`^ARG ${name}=(\\S+)$`, 'm').exec(
    readFileSync(join(root, 'Dockerfile'), 'utf8'),
  )?.[1];
  if (value === undefined) throw new Error(`the Dockerfile has no ARG ${name}`);
  return value;
}

/** A slim Debian as a base; for the build stage the same with npm, and with the Node that the project's tests run on. */
function makeImages(docker: Docker, id: string): StageImages {
  const images = { buildImage: `${id}:build-image`, baseImage: `${id}:base-image` };
  const systems = cachedFolder('debian-bookworm-slim', (folder) => {
    makeSystem(join(folder, 'base.tar'));
    makeSystem(join(folder, 'build.tar'), 'libatomic1');
  });
  const rawTag = `${id}:build-system`;
  const ownTags = [images.buildImage, images.baseImage, rawTag];
  docker.run('import', join(systems, 'base.tar'), images.baseImage);
  docker.run('import', join(systems, 'build.tar'), rawTag);
  const context = mkdtempSync(join(tmpdir(), 'usher-build-image-'));
  try {
    cpSync(join(root, 'node_modules/node/bin/node'), join(context, 'node'), { dereference: true });
    cpSync(npmPackage(), join(context, 'npm'), { recursive: true });
    cpSync(certificates, join(context, 'certificates'), { dereference: true });
    writeFileSync(join(context, 'Dockerfile'), buildImageFile(rawTag));
    docker.run('build', '--force-rm', '--tag', images.buildImage, context);
  } finally {
    rmSync(context, { recursive: true, force: true });
  }
  return { ...images, ownTags };
}

/** npm as it comes, and this machine's way to the registry. */
const buildImageFile = (from: string): string => `FROM ${from}
COPY node /usr/local/bin/node
COPY npm /usr/local/lib/node_modules/npm
COPY certificates ${certificates}
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm
ENV NPM_CONFIG_REGISTRY=${runCommand('npm', ['config', 'get', 'registry']).trim()} NPM_CONFIG_CAFILE=${certificates}
`;

function makeSystem(path: string, ...packages: readonly string[]): void {
  const mmdebstrap = installedProgram({
    command: 'mmdebstrap',
    aptPackages: ['mmdebstrap', 'debian-archive-keyring'],
    aboutS: 10,
    otherwise: 'let Docker pull the images that the Dockerfile names',
  });
  const left = ['doc', 'info', 'locale', 'man'].map((name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`);
  const included = packages.length === 0 ? [] : [`--include=${packages.join(',')}`];
  announced(`making a slim Debian: ${path}`, 'once, about 15 s', () =>
    runCommand(mmdebstrap, ['--quiet', '--variant=minbase', ...left, ...included, 'bookworm', path]),
  );
}

/** The folder of the package. */
function npmPackage(): string {
  const folder = cachedFolder(`npm-${npmVersion}`, (building) => {
    announced(`downloading npm ${npmVersion}`, 'once, about 5 s', () => {
      mkdirSync(building, { recursive: true });
      runCommand('npm', ['pack', `npm@${npmVersion}`, '--pack-destination', building]);
      runCommand('tar', ['-xzf', join(building, `npm-${npmVersion}.tgz`), '-C', building]);
    });
  });
  return join(folder, 'package');
}
