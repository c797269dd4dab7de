import { describe, expect, test } from 'vitest';
import { readDeployed, readEnvironmentFile, readYaml } from './deployed-files.ts';
import { assertServes, defaultOf, secondsToEnd, unknownSettings } from './node-environment.ts';
import { composeFaults } from './schema-faults.ts';

/** The part of a compose file that these tests look at. */
interface ComposeFile {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

interface Service {
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly networks: readonly string[];
  readonly volumes?: readonly string[];
  readonly depends_on?: readonly string[] | Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: object;
  readonly read_only?: boolean;
  readonly tmpfs?: readonly string[];
  readonly cap_drop: readonly string[];
  readonly security_opt: readonly string[];
  readonly restart: string;
  readonly stop_grace_period?: string;
}

const path = 'deploy/compose.yaml';
const [file] = readYaml(path) as readonly [ComposeFile];
const example = readEnvironmentFile('deploy/example.env');
const nodes = Object.entries(file.services).filter(([name]) => name.startsWith('usher-'));

/** As compose does it: `${NAME:-default}`, `${NAME:?what to do}`, `$$`. */
function interpolated(text: string): string {
  return text.replaceAll(/\$(?:\$|\{(\w+)(?::([-?])([^}]*))?\})/g, (whole, name, kind, word) => {
    if (whole === '$$') return '$';
    const value = example[name] ?? (kind === '-' ? word : undefined);
    if (value === undefined) throw new Error(`${name}: ${word}`);
    return value;
  });
}

const environmentOf = (service: Service) =>
  Object.fromEntries(
    Object.entries(service.environment ?? {}).map(([name, value]) => [name, interpolated(value)]),
  );

const dependenciesOf = ({ depends_on: names = [] }: Service): readonly string[] =>
  Array.isArray(names) ? names : Object.keys(names);

describe('the compose file', () => {
  test('is one by the specification', () => {
    expect(composeFaults(file)).toEqual([]);
  });

  test('has three nodes, whose names are where the others find them', () => {
    expect(nodes.map(([name]) => name)).toEqual(['usher-1', 'usher-2', 'usher-3']);
    for (const [name, service] of nodes) {
      expect(service.environment).toMatchObject({ NODE_ID: name, ADVERTISE_HOST: name });
    }
  });

  test.each(nodes)('%s is set by names that Usher knows, to values that it takes', (_, service) => {
    const environment = environmentOf(service);
    expect(unknownSettings(environment)).toEqual([]);
    expect(() => assertServes(environment)).not.toThrow();
  });

  test.each(nodes)('%s has more time to end than it takes', (_, service) => {
    const [, seconds] = /^(\d+)s$/.exec(service.stop_grace_period ?? '') ?? [];
    expect(Number(seconds)).toBeGreaterThan(secondsToEnd(environmentOf(service)));
  });

  test.each(nodes)('%s is read-only, and its admin port is on loopback alone', (_, service) => {
    expect(service).toMatchObject({ read_only: true, tmpfs: ['/tmp'] });
    expect(service.ports).toHaveLength(1);
    expect(service.ports?.[0]).toMatch(new RegExp(`^127\\.0\\.0\\.1:\\d+:${defaultOf('ADMIN_PORT')}$`));
  });

  test('no two services are published on one port', () => {
    const published = Object.values(file.services).flatMap(({ ports = [] }) => ports.map(interpolated));
    const hostPorts = published.map((port) => port.split(':').at(-2));
    expect(hostPorts).toHaveLength(4);
    expect(new Set(hostPorts).size).toBe(hostPorts.length);
  });

  test('callers come in through the load balancer, by default from this machine', () => {
    expect(file.services['load-balancer']?.ports?.map(interpolated)).toEqual(['127.0.0.1:8080:8080']);
    for (const name of ['mysql', 'redis', 'kafka']) expect(file.services[name]?.ports).toBeUndefined();
  });

  test('servers are out of reach for all but nodes', () => {
    expect(file.networks['servers']).toEqual({ internal: true });
    const inServers = Object.entries(file.services).filter(([, { networks }]) =>
      networks.includes('servers'),
    );
    expect(inServers.map(([name]) => name)).toEqual([
      'usher-1',
      'usher-2',
      'usher-3',
      'mysql',
      'redis',
      'kafka',
    ]);
  });

  test.each(Object.entries(file.services))('%s has no rights that it does not need', (_, service) => {
    expect(service).toMatchObject({
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
      restart: 'unless-stopped',
    });
  });

  test.each(Object.entries(file.services))('what %s names is there', (_, service) => {
    for (const name of service.networks) expect(file.networks).toHaveProperty([name]);
    for (const volume of service.volumes ?? []) {
      const [source = ''] = volume.split(':');
      if (source.startsWith('./')) expect(readDeployed(`deploy/${source.slice(2)}`)).not.toBe('');
      else expect(file.volumes).toHaveProperty([source]);
    }
    for (const name of dependenciesOf(service)) expect(file.services).toHaveProperty([name]);
    for (const [, host] of JSON.stringify(environmentOf(service)).matchAll(/@(\w+):\d+/g)) {
      if (host !== 'localhost') expect(file.services).toHaveProperty([host ?? '']);
    }
  });

  test('whoever is waited for until it is healthy has a health check', () => {
    const waitedFor = nodes.flatMap(([, service]) =>
      Object.entries(service.depends_on ?? {}).filter(([, { condition }]) => condition === 'service_healthy'),
    );
    expect(waitedFor.length).toBeGreaterThan(0);
    for (const [name] of waitedFor) expect(file.services[name]?.healthcheck).toBeDefined();
  });
});

describe('the example of its secrets', () => {
  const asked = new Set([...readDeployed(path).matchAll(/\$\{(\w+)/g)].map(([, name]) => name ?? ''));

  test('has what the compose file asks for, and nothing else', () => {
    const own = [...asked].filter((name) => name !== 'USHER_TAG');
    expect(Object.keys(example).sort()).toEqual(own.sort());
  });

  test('is obviously none, and no secret is used twice', () => {
    const secrets = Object.entries(example).filter(([name]) => !name.startsWith('PUBLISH_'));
    for (const [, value] of secrets) expect(value).toContain('not-a-secret');
    expect(new Set(secrets.map(([, value]) => value)).size).toBe(secrets.length);
  });
});

describe('the load balancer', () => {
  const lines = readDeployed('deploy/haproxy.cfg')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));

  test('knows every node by its public port', () => {
    const servers = lines.flatMap((line) => /^server (\S+) (\S+)$/.exec(line)?.slice(1, 3).join(' ') ?? []);
    expect(servers).toEqual(nodes.map(([name]) => `${name} ${name}:${defaultOf('PORT')}`));
  });

  test('asks whether they are ready', () => {
    expect(lines).toContain('http-check send meth GET uri /readyz');
    expect(lines).toContain('http-check expect status 200');
  });

  test('tries again what reached nobody, and beyond that only reads', () => {
    expect(lines.filter((line) => line.startsWith('retry-on'))).toEqual([
      'retry-on conn-failure empty-response',
    ]);
    expect(lines).toContain('http-request disable-l7-retry unless METH_GET');
  });
});

describe('a slip in a compose file is caught', () => {
  const node = { image: 'usher' };
  test.each([
    ['a wrong name', { services: { usher: { ...node, enviroment: {} } } }],
    ['a wrong place', { services: { usher: node }, read_only: true }],
    ['a wrong type', { services: { usher: { ...node, ports: 8080 } } }],
    ['a span without a unit', { services: { usher: { ...node, healthcheck: { interval: '5' } } } }],
    [
      'an unknown condition',
      { services: { usher: { ...node, depends_on: { mysql: { condition: 'ready' } } } } },
    ],
    ['an empty service', { services: { usher: null } }],
  ])('%s', (_, slip) => {
    expect(composeFaults({ services: { usher: node } })).toEqual([]);
    expect(composeFaults(slip)).not.toEqual([]);
  });
});
