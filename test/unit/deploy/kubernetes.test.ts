import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parseDocument, stringify } from 'yaml';
import { cluster } from '../../../src/cli/cluster.ts';
import { readDeployed, readYaml } from './deployed-files.ts';
import { assertServes, secondsToEnd, unknownSettings } from './node-environment.ts';
import { manifestFaults } from './schema-faults.ts';

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
}

type Labels = Readonly<Record<string, string>>;

interface StatefulSet extends Manifest {
  readonly spec: {
    readonly replicas: number;
    readonly serviceName: string;
    readonly podManagementPolicy: string;
    readonly selector: { readonly matchLabels: Labels };
    readonly template: {
      readonly metadata: { readonly labels: Labels };
      readonly spec: {
        readonly terminationGracePeriodSeconds: number;
        readonly securityContext: object;
        readonly topologySpreadConstraints: readonly {
          readonly labelSelector: { readonly matchLabels: Labels };
        }[];
        readonly containers: readonly [Container];
        readonly volumes: readonly { readonly name: string }[];
      };
    };
  };
}

interface Container {
  readonly image: string;
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly env: readonly Variable[];
  readonly lifecycle: { readonly preStop: { readonly exec: { readonly command: readonly string[] } } };
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
  readonly securityContext: object;
  readonly startupProbe: Probe;
  readonly readinessProbe: Probe;
  readonly livenessProbe: Probe;
}

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}

interface Variable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: { readonly secretKeyRef?: { readonly name: string; readonly key: string } };
}

interface Service extends Manifest {
  readonly spec: {
    readonly clusterIP?: string;
    readonly publishNotReadyAddresses?: boolean;
    readonly selector: Labels;
    readonly ports: readonly { readonly targetPort: string }[];
  };
}

interface NetworkPolicy extends Manifest {
  readonly spec: {
    readonly podSelector: { readonly matchLabels: Labels };
    readonly ingress: readonly {
      readonly from?: readonly object[];
      readonly ports: readonly { readonly port: string }[];
    }[];
  };
}

const folder = 'deploy/kubernetes';
const [kustomization] = readYaml(`${folder}/kustomization.yaml`) as readonly [
  { readonly resources: readonly string[]; readonly images: readonly { readonly name: string }[] },
];
const manifests = kustomization.resources.flatMap(
  (name) => readYaml(`${folder}/${name}`) as readonly Manifest[],
);
const ofKind = <Kind extends Manifest>(kind: string) =>
  manifests.filter((manifest) => manifest.kind === kind) as unknown as readonly Kind[];

const [statefulSet] = ofKind<StatefulSet>('StatefulSet') as readonly [StatefulSet];
const pod = statefulSet.spec.template;
const [container] = pod.spec.containers;
const services = ofKind<Service>('Service');
const portNames = container.ports.map(({ name }) => name);
const headOf = (path: string) => /^(?:#.*\n)+/.exec(readDeployed(path))?.[0] ?? '';

/** What the pod `usher-0` finds, with values of the Secret that the docs' example makes. */
function environment(): Readonly<Record<string, string>> {
  const secrets = Object.fromEntries(
    [...headOf(`${folder}/kustomization.yaml`).matchAll(/--from-literal=(\w+)=["']([^\n]*)["']/g)].map(
      ([, name = '', value = '']) => [name, value.replaceAll(/\$\([^)]*\)/g, '0'.repeat(64))],
    ),
  );
  const values: Record<string, string> = {};
  for (const { name, value, valueFrom } of container.env) {
    const given = valueFrom?.secretKeyRef === undefined ? 'usher-0' : secrets[valueFrom.secretKeyRef.key];
    // Kubernetes knows a name only from where it is set.
    values[name] = (value ?? given ?? '').replaceAll(
      /\$\((\w+)\)/g,
      (whole, known) => values[known] ?? whole,
    );
  }
  return values;
}

describe('the manifests', () => {
  test('are all applied', () => {
    const files = readdirSync(fileURLToPath(new URL(`../../../${folder}`, import.meta.url)));
    expect([...kustomization.resources, 'kustomization.yaml'].sort()).toEqual(files.sort());
    expect(manifests.map(({ kind }) => kind).sort()).toEqual([
      'NetworkPolicy',
      'PodDisruptionBudget',
      'Service',
      'Service',
      'StatefulSet',
    ]);
  });

  test.each(manifests)('$kind $metadata.name is one by its definition', (manifest) => {
    expect(manifestFaults(manifest)).toEqual([]);
  });

  test('all mean the same pods', () => {
    const labels = pod.metadata.labels;
    const [budget] = ofKind<StatefulSet>('PodDisruptionBudget');
    const [policy] = ofKind<NetworkPolicy>('NetworkPolicy');
    const selectors = [
      statefulSet.spec.selector.matchLabels,
      ...pod.spec.topologySpreadConstraints.map(({ labelSelector }) => labelSelector.matchLabels),
      ...services.map(({ spec }) => spec.selector),
      budget?.spec.selector.matchLabels,
      policy?.spec.podSelector.matchLabels,
    ];
    expect(selectors).toHaveLength(7);
    for (const selector of selectors) expect(selector).toEqual(labels);
  });
});

describe('a pod', () => {
  test('is one of three that start together', () => {
    expect(statefulSet.spec).toMatchObject({ replicas: 3, podManagementPolicy: 'Parallel' });
    expect(kustomization.images.map(({ name }) => name)).toEqual([container.image]);
  });

  test('is set by names that Usher knows, to values that it takes', () => {
    expect(unknownSettings(environment())).toEqual([]);
    expect(() => assertServes(environment())).not.toThrow();
  });

  test('is found by the others under its own name, ready or not', () => {
    expect(environment()).toMatchObject({ NODE_ID: 'usher-0', ADVERTISE_HOST: 'usher-0.usher-internal' });
    const internal = services.find(({ metadata }) => metadata.name === statefulSet.spec.serviceName);
    expect(internal?.metadata.name).toBe('usher-internal');
    expect(internal?.spec).toMatchObject({ clusterIP: 'None', publishNotReadyAddresses: true });
  });

  test('reads of the Secret what the docs’ example puts into it', () => {
    const read = container.env.flatMap(({ valueFrom }) => valueFrom?.secretKeyRef ?? []);
    const made = [...headOf(`${folder}/kustomization.yaml`).matchAll(/--from-literal=(\w+)=/g)];
    expect(new Set(read.map(({ name }) => name))).toEqual(new Set(['usher']));
    expect(read.map(({ key }) => key).sort()).toEqual(made.map(([, key]) => key ?? '').sort());
  });

  test('moves its shards away before it is stopped, through its own admin port', () => {
    const line = container.lifecycle.preStop.exec.command.at(-1) ?? '';
    expect(line).toMatch(/^exec node src\/main\.ts cluster drain "\$NODE_ID" /);
    const options = line.match(/--[a-z-]+/g) ?? [];
    expect(options.length).toBeGreaterThan(0);
    for (const option of options) expect(cluster.details?.join('\n')).toContain(`  ${option} `);
    expect(environment()).toHaveProperty('ADMIN_TOKEN');
  });

  test('has more time to end than it takes', () => {
    const line = container.lifecycle.preStop.exec.command.at(-1) ?? '';
    const hookSeconds = Number(/--wait-max (\d+)/.exec(line)?.[1]);
    expect(pod.spec.terminationGracePeriodSeconds).toBeGreaterThan(hookSeconds + secondsToEnd(environment()));
  });

  test('is asked whether it is alive and whether it is ready, and not restarted for not being ready', () => {
    const paths = [container.startupProbe, container.livenessProbe, container.readinessProbe].map(
      ({ httpGet }) => `${httpGet.port} ${httpGet.path}`,
    );
    expect(paths).toEqual(['public /healthz', 'public /healthz', 'public /readyz']);
  });

  test('has no rights, and nothing to write to but /tmp', () => {
    expect(pod.spec.securityContext).toMatchObject({
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(container.volumeMounts.map(({ mountPath }) => mountPath)).toEqual(['/tmp']);
    expect(container.volumeMounts.map(({ name }) => name)).toEqual(pod.spec.volumes.map(({ name }) => name));
  });
});

describe('the network', () => {
  test('leads to ports that the pod has', () => {
    for (const { spec } of services) {
      for (const { targetPort } of spec.ports) expect(portNames).toContain(targetPort);
    }
  });

  test('lets nobody but nodes call the internal port, and not everybody the admin port', () => {
    const [policy] = ofKind<NetworkPolicy>('NetworkPolicy');
    const rules = (policy?.spec.ingress ?? []).map(({ from, ports }) => [
      ports.map(({ port }) => port),
      from,
    ]);
    expect(rules).toEqual([
      [['public'], undefined],
      [['admin'], [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } }]],
      [['internal'], [{ podSelector: { matchLabels: pod.metadata.labels } }]],
    ]);
  });
});

describe('a slip in a manifest is caught', () => {
  /** The StatefulSet with another value at a path; undefined takes it out. */
  function changed(path: string, value: unknown): Manifest {
    const text = stringify(statefulSet, { aliasDuplicateObjects: false });
    const document = parseDocument(text);
    const keys = path.split('.');
    if (value === undefined) document.deleteIn(keys);
    else document.setIn(keys, value);
    return document.toJS();
  }

  test.each([
    ['an old version', 'apiVersion', 'apps/v1beta1'],
    ['a wrong name', 'spec.podManagmentPolicy', 'Parallel'],
    ['a wrong place', 'spec.terminationGracePeriodSeconds', 90],
    ['a number for text', 'spec.template.spec.containers.0.env.2.value', 8082],
    ['text for a number', 'spec.replicas', 'three'],
    ['an empty value', 'spec.template.spec.containers.0.resources.limits', null],
    ['an unknown unit', 'spec.template.spec.containers.0.resources.limits.memory', '2GiB'],
    ['something left out', 'spec.selector', undefined],
  ])('%s', (_, path, value) => {
    expect(manifestFaults(changed('spec.replicas', 3))).toEqual([]);
    expect(manifestFaults(changed(path, value))).not.toEqual([]);
  });
});
