import { describe, expect, test } from 'vitest';
import { readDeployed, readYaml } from './deployed-files.ts';
import { defaultOf } from './node-environment.ts';

/** Instructions with their continued lines joined, comments left out. */
const instructions = readDeployed('Dockerfile')
  .replaceAll(/^\s*#.*\n/gm, '')
  .replaceAll(/\\\n\s*/g, '')
  .split('\n')
  .filter((line) => line !== '');
const lastStage = instructions.slice(instructions.findLastIndex((line) => line.startsWith('FROM ')));
const manifest = JSON.parse(readDeployed('package.json')) as {
  readonly version: string;
  readonly devDependencies: Readonly<Record<string, string>>;
};

/** What follows the one instruction of this name in the last stage. */
function argumentOf(name: string): string {
  const found = lastStage.filter((line) => line.startsWith(`${name} `));
  expect(found).toHaveLength(1);
  return found[0]?.slice(name.length + 1) ?? '';
}

const argument = (name: string): string | undefined =>
  instructions.find((line) => line.startsWith(`ARG ${name}=`))?.slice(`ARG ${name}=`.length);

describe('the image', () => {
  test('runs the Node that the tests run on', () => {
    expect(argument('BUILD_IMAGE')).toBe(`node:${manifest.devDependencies['node']}-bookworm-slim`);
  });

  test('has the version of the package, and so do the manifests', () => {
    expect(argument('VERSION')).toBe(manifest.version);
    const [kustomization] = readYaml('deploy/kubernetes/kustomization.yaml');
    expect(kustomization).toMatchObject({ images: [{ newTag: manifest.version }] });
  });

  test('installs nothing in its last stage, which may have no shell', () => {
    expect(lastStage.filter((line) => /^(?:RUN|ADD|SHELL) /.test(line))).toEqual([]);
  });

  test('belongs to a user by number, the same as in Kubernetes', () => {
    expect(argumentOf('USER')).toBe('10001:10001');
    const [set] = readYaml('deploy/kubernetes/stateful-set.yaml');
    expect(set).toMatchObject({
      spec: { template: { spec: { securityContext: { runAsUser: 10_001, runAsGroup: 10_001 } } } },
    });
  });

  test('has the three ports of a node', () => {
    const ports = ['PORT', 'ADMIN_PORT', 'INTERNAL_PORT'].map(defaultOf);
    expect(argumentOf('EXPOSE').split(' ')).toEqual(ports);
    const [set] = readYaml('deploy/kubernetes/stateful-set.yaml');
    const containerPorts = ports.map((port) => expect.objectContaining({ containerPort: Number(port) }));
    expect(set).toMatchObject({ spec: { template: { spec: { containers: [{ ports: containerPorts }] } } } });
  });

  test('is Node itself, which gets its signals', () => {
    expect(JSON.parse(argumentOf('ENTRYPOINT'))).toEqual(['node', 'src/main.ts']);
    expect(JSON.parse(argumentOf('CMD'))).toEqual(['serve']);
    expect(argumentOf('STOPSIGNAL')).toBe('SIGTERM');
    const [, probe = ''] = /CMD (\[.*\])$/.exec(argumentOf('HEALTHCHECK')) ?? [];
    expect(JSON.parse(probe)).toEqual(['node', '-e', expect.stringContaining('/healthz')]);
  });

  test('is built from nothing but what it copies', () => {
    const copied = instructions
      .filter((line) => line.startsWith('COPY ') && !line.includes('--from='))
      .flatMap((line) => line.split(' ').slice(1, -1));
    const allowed = readDeployed('.dockerignore')
      .split('\n')
      .flatMap((line) => (line.startsWith('!') ? line.slice(1) : []));
    expect(new Set(copied)).toEqual(new Set(allowed));
    expect(readDeployed('.dockerignore')).toMatch(/^\*$/m);
  });
});
