import type { ClusterRecords } from './actors/runtime/cluster-records.ts';
import type { Directory } from './actors/runtime/directory.ts';
import { ClusterNode } from './cluster/cluster-node.ts';
import type { ClusterObserver } from './cluster/cluster-observer.ts';
import { clusterTiming } from './cluster/cluster-timing.ts';
import { type Instance, newInstance } from './cluster/instance-id.ts';
import { PeerEndpoint } from './cluster/peer-endpoint.ts';
import { PeerLinks } from './cluster/peer-links.ts';
import { PeerServer } from './cluster/peer-server.ts';
import { RedisRegistry } from './cluster/redis/redis-registry.ts';
import type { ShardRates } from './cluster/shard-rates.ts';
import { TlsTransport } from './cluster/tls-transport.ts';
import type { ClusterConfig } from './cluster-settings.ts';
import type { WorkerStore } from './persistence/worker/worker-store.ts';
import { RedisConnection } from './redis/redis-connection.ts';
import { systemClock } from './system-clock.ts';
import type { Log } from './telemetry/log.ts';

/** The internal port, which is open before the node has its name: the port is part of that. */
export interface ClusterDoor {
  readonly instance: Instance;
  readonly server: PeerServer;
}

/** Takes the internal port. Whoever connects before the node serves is sent away. */
export async function openClusterDoor(
  config: ClusterConfig,
  node: { readonly nodeId: string; readonly host: string },
  log: Log,
): Promise<ClusterDoor> {
  const server = new PeerServer({
    secret: config.secret,
    clock: systemClock,
    onNotice: ({ message }) => log.warn(message),
  });
  const port = await server.listen(node.host, config.internalPort);
  const { advertiseHost } = config;
  const host = advertiseHost.includes(':') ? `[${advertiseHost}]` : advertiseHost;
  return { instance: newInstance(node.nodeId, `${host}:${port}`), server };
}

interface ClusterOptions {
  readonly config: ClusterConfig;
  readonly door: ClusterDoor;
  readonly redisUrl: string;
  readonly installationId: string;
  readonly directory: Directory;
  readonly rates: ShardRates;
  readonly store: WorkerStore;
  readonly records: ClusterRecords;
  readonly observer: ClusterObserver;
  readonly shardCount: number;
  readonly payWaitMaxMs: number;
  readonly version: string;
  readonly url: () => string;
  readonly log: Log;
}

/** The node among its peers. */
export interface OpenCluster {
  readonly node: ClusterNode;
  /** Others are asked to finish what they have asked here, and to send nothing more. */
  leave(): Promise<void>;
  /** After the directory has stopped. */
  close(): Promise<void>;
}

export function openCluster(options: ClusterOptions): OpenCluster {
  const { config, door, installationId, log, version } = options;
  const { instance } = door;
  const identity = { installationId, instanceId: instance.instanceId, nodeId: instance.nodeId, version };
  const peers = new PeerLinks({
    transport: new TlsTransport({ secret: config.secret, self: identity }),
    clock: systemClock,
    onNotice: ({ message }) => log.warn(message),
  });
  // A connection of its own: no flood of cached balances stands before a heartbeat.
  const redis = new RedisConnection({
    url: options.redisUrl,
    clock: systemClock,
    observer: { onTimeout: () => {}, onConnection: () => {} },
    onNotice: ({ message }) => log.warn(message),
    commandLimitMs: registryLimitMs,
  });
  const node = new ClusterNode({
    ...options,
    instance,
    registry: new RedisRegistry(redis, installationId),
    peers,
    clock: systemClock,
    timing: clusterTiming,
    limits: {
      parkedCallsMax: config.parkedCallsMax,
      movesInFlightMax: config.movesInFlightMax,
      payWaitMaxMs: options.payWaitMaxMs,
    },
  });
  const endpoint = new PeerEndpoint({ service: node.peerService, clock: systemClock });
  door.server.serve(identity, endpoint.accept);
  return {
    node,
    async leave() {
      endpoint.leave();
      await node.stop();
    },
    async close() {
      await door.server.close(peerGraceMs);
      peers.close();
      await redis.close();
    },
  };
}

/** Less than the period of heartbeats. */
const registryLimitMs = 400;
const peerGraceMs = 1_000;
