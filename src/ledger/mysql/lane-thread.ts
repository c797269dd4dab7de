import { parentPort, workerData } from 'node:worker_threads';
import { openNamedSession, type SessionRole, sessionRoles } from '../../mysql/named-session.ts';
import type { MySqlSession } from '../../mysql/session.ts';
import type { Applied } from '../applied.ts';
import { BatchRefused } from '../book.ts';
import type { LaneBatch, LaneThreadData, SlowStatement } from './lane-thread-data.ts';
import { bookSessionSetup, MySqlBook } from './mysql-book.ts';

/**
 * The procedures of the thread that writes points and payments, for all lanes; the pool calls them by name. A lane
 * has a connection of its own, opened by its first batch and again by the first one after it was lost. Its name
 * ends one that a thread before this one has left open.
 */
const { mysql, holder } = workerData as LaneThreadData;
const sessions = new Map<number, MySqlSession>();

export async function apply({ lane, operations }: LaneBatch): Promise<Applied> {
  try {
    const book = new MySqlBook(await sessionOf(lane));
    return { kind: 'applied', results: await book.apply(operations) };
  } catch (error) {
    if (error instanceof BatchRefused) return { kind: 'refused', message: error.message };
    throw error;
  }
}

/** When no batch is under way. */
export async function end(): Promise<void> {
  await Promise.all(Array.from(sessions.values(), (session) => session.end()));
  sessions.clear();
}

/** For ThreadPool. */
export function wake(): void {}

async function sessionOf(lane: number): Promise<MySqlSession> {
  const known = sessions.get(lane);
  if (known?.isOpen) return known;
  const session = await openNamedSession(
    { ...mysql, multipleStatements: true, observer },
    holder,
    roleOf(lane),
  );
  try {
    await session.change(bookSessionSetup);
  } catch (error) {
    session.destroy();
    throw error;
  }
  sessions.set(lane, session);
  return session;
}

function roleOf(lane: number): SessionRole {
  const role = sessionRoles.find((each) => each === `ledger-${lane}`);
  if (role === undefined) throw new Error(`no connection is named for lane ${lane}`);
  return role;
}

const observer = {
  onSlowStatement: (statement: string, durationMs: number) =>
    parentPort?.postMessage({ statement, durationMs } satisfies SlowStatement),
};
