import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js';
import { readDeployed } from './deployed-files.ts';

const readSchema = (name: string): object =>
  JSON.parse(readDeployed(`test/unit/deploy/schemas/${name}.json`));

// Not Ajv's strict mode: that is about how schemas are written, and these are not ours. Their formats are words
// that only their makers define; what of them matters here is below.
const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
const validateCompose = ajv.compile(readSchema('compose-spec'));
ajv.addSchema(readSchema('kubernetes-1.35'), 'kubernetes');

/** What the schema of the Compose Specification says against it, and spans of time; one line a fault. */
export function composeFaults(file: unknown): readonly string[] {
  validateCompose(file);
  const spans = valuesAt(file, /\/(?:interval|timeout|start_period|stop_grace_period)$/);
  return [...described(validateCompose.errors), ...misspelt(spans, /^(?:\d+(?:h|m|s|ms|us))+$/)];
}

const definitions: Readonly<Record<string, string>> = {
  'v1 Service': 'io.k8s.api.core.v1.Service',
  'apps/v1 StatefulSet': 'io.k8s.api.apps.v1.StatefulSet',
  'policy/v1 PodDisruptionBudget': 'io.k8s.api.policy.v1.PodDisruptionBudget',
  'networking.k8s.io/v1 NetworkPolicy': 'io.k8s.api.networking.v1.NetworkPolicy',
};

/** What Kubernetes' definition of its kind says against it, quantities and empty values; one line a fault. */
export function manifestFaults(manifest: {
  readonly apiVersion: string;
  readonly kind: string;
}): readonly string[] {
  const definition = definitions[`${manifest.apiVersion} ${manifest.kind}`];
  if (definition === undefined) return [`there is no ${manifest.kind} in ${manifest.apiVersion}`];
  const validate = ajv.getSchema(`kubernetes#/$defs/${definition}`);
  if (validate === undefined) throw new Error(`the schema lacks ${definition}`);
  validate(manifest);
  const quantities = valuesAt(manifest, /\/(?:requests|limits)\/\w+$|\/sizeLimit$/);
  // `key:` with nothing behind it is allowed, and never meant.
  const empty = valuesAt(manifest, /./).filter(([, value]) => value === null);
  return [
    ...described(validate.errors),
    ...misspelt(quantities, /^\d+(?:\.\d+)?(?:m|k|M|G|Ki|Mi|Gi)?$/),
    ...empty.map(([path]) => `${path} is empty`),
  ];
}

const described = (errors: readonly ErrorObject[] | null | undefined): readonly string[] =>
  (errors ?? []).map(
    ({ instancePath, message, params }) => `${instancePath || '/'} ${message} ${JSON.stringify(params)}`,
  );

const misspelt = (found: readonly (readonly [string, unknown])[], pattern: RegExp): readonly string[] =>
  found.filter(([, value]) => !pattern.test(`${value}`)).map(([path, value]) => `${path} is ${value}`);

/** All values below it whose path, as `/spec/replicas`, matches. */
function valuesAt(value: unknown, pattern: RegExp, path = ''): readonly (readonly [string, unknown])[] {
  const own = pattern.test(path) ? [[path, value] as const] : [];
  if (typeof value !== 'object' || value === null) return own;
  return [
    ...own,
    ...Object.entries(value).flatMap(([key, inner]) => valuesAt(inner, pattern, `${path}/${key}`)),
  ];
}
