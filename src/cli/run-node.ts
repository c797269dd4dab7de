import { StoreUnavailable } from '../actors/runtime/ports.ts';
import { NodeIdInUse } from '../cluster/node-id-check.ts';
import { type Node, type NodeOptions, startNode } from '../compose.ts';
import { DataDirectoryUnusable } from '../persistence/sqlite/data-directory-lock.ts';
import { crashOnBugs, stopOnSignals } from '../shutdown.ts';
import { createLog } from '../telemetry/log.ts';
import { packageVersion } from './package-version.ts';

/** Beyond the grace for open requests: the last commit, and closing the store. */
const closingMs = 15_000;

interface RunNodeOptions extends Pick<NodeOptions, 'config' | 'secrets' | 'onLocked' | 'beforeListening'> {
  /** Called when it listens. */
  readonly announce?: (node: Node) => void;
}

/** Runs a node until a signal ends the process. @returns 1 when it can't start; the reason is printed. */
export async function runNode(options: RunNodeOptions): Promise<number> {
  const { config } = options;
  const log = createLog(config.logLevel);
  crashOnBugs(log);
  let node: Node;
  try {
    node = await startNode({ ...options, log, version: packageVersion() });
  } catch (error) {
    if (!isForPeople(error)) throw error;
    console.error(`usher: ${error.message}`);
    return 1;
  }
  const drainMaxMs = config.cluster?.drainMaxMs ?? 0;
  stopOnSignals(() => node.stop(), log, drainMaxMs + config.shutdownGraceSeconds * 1000 + closingMs);
  console.log(`listening on ${node.publicUrl} admin ${node.adminUrl}`);
  options.announce?.(node);
  return 0;
}

const listenErrors = ['EADDRINUSE', 'EACCES', 'EADDRNOTAVAIL', 'ENOTFOUND'];

const isForPeople = (error: unknown): error is Error =>
  error instanceof DataDirectoryUnusable ||
  error instanceof StoreUnavailable ||
  error instanceof NodeIdInUse ||
  (error instanceof Error && 'code' in error && listenErrors.includes(`${error.code}`));
