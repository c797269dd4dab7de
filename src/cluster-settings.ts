import * as v from 'valibot';
import { integerSetting, type Setting, secretOf } from './setting.ts';

/** The settings of a node that is one of several. */

const hostPattern = /^[A-Za-z0-9._:-]{1,120}$/;

export const clusterSettings = {
  CLUSTER_SECRET: secretOf(
    32,
    'Key that the nodes of a cluster share. Unset: the node is on its own. Needs MYSQL_URL and REDIS_URL.',
  ),
  INTERNAL_PORT: integerSetting(
    8082,
    0,
    65_535,
    'Port on HOST where a node of a cluster hears from the others; 0 takes a free one.',
  ),
  ADVERTISE_HOST: {
    schema: v.pipe(v.string(), v.regex(hostPattern)),
    default: undefined,
    takes: 'a host name or an address',
    meaning: 'Where the other nodes reach this one. Unset: HOST.',
  } satisfies Setting<string>,
  DRAIN_MAX_SECONDS: integerSetting(
    30,
    0,
    3_600,
    'How long SIGTERM waits until other nodes have taken all shards of this one.',
  ),
  MOVES_IN_FLIGHT_MAX: integerSetting(
    8,
    1,
    64,
    'Shards that are being moved at a time, in the whole cluster.',
  ),
  PARKED_CALLS_MAX: integerSetting(
    10_000,
    1,
    1_000_000,
    'Requests that wait until their shard has an owner; over it, 503.',
  ),
};

export interface ClusterConfig {
  readonly secret: string;
  readonly internalPort: number;
  readonly advertiseHost: string;
  readonly drainMaxMs: number;
  readonly movesInFlightMax: number;
  readonly parkedCallsMax: number;
}

type ClusterSettingName = keyof typeof clusterSettings;
type SettingValue<Name extends ClusterSettingName> = v.InferOutput<(typeof clusterSettings)[Name]['schema']>;
type ReadClusterSetting = <Name extends ClusterSettingName>(name: Name) => SettingValue<Name> | undefined;

/** @param faults lines for people are added where settings contradict each other. */
export function readClusterConfig(
  read: ReadClusterSetting,
  node: {
    readonly host: string;
    readonly nodeId: string;
    readonly hasMySql: boolean;
    readonly hasRedis: boolean;
  },
  faults: string[],
): ClusterConfig | undefined {
  const secret = read('CLUSTER_SECRET');
  const advertiseHost = read('ADVERTISE_HOST') ?? node.host;
  const config = {
    internalPort: read('INTERNAL_PORT') ?? 0,
    advertiseHost,
    drainMaxMs: (read('DRAIN_MAX_SECONDS') ?? 0) * 1_000,
    movesInFlightMax: read('MOVES_IN_FLIGHT_MAX') ?? 0,
    parkedCallsMax: read('PARKED_CALLS_MAX') ?? 0,
  };
  if (secret === undefined) return undefined;
  if (faults.length > 0) return undefined;
  if (!node.hasMySql) faults.push('CLUSTER_SECRET: needs MYSQL_URL, the store that the nodes share');
  if (!node.hasRedis) faults.push('CLUSTER_SECRET: needs REDIS_URL, where the nodes find each other');
  if (!nodeIdPattern.test(node.nodeId)) {
    faults.push(
      `NODE_ID: got ${JSON.stringify(node.nodeId)}, takes 1–64 of A–Z a–z 0–9 . _ - in a cluster, unlike any other node's`,
    );
  }
  if (wildcardPattern.test(advertiseHost)) {
    faults.push(
      'ADVERTISE_HOST: not set; other nodes can’t reach this one at every interface, but at a host',
    );
  }
  return { secret, ...config };
}

/** Every interface, in the spellings that there are. */
const wildcardPattern = /^(?:0+(?:\.0+){0,3}|[:0]*::[:0]*)$/;
const nodeIdPattern = /^[A-Za-z0-9._-]{1,64}$/;
