import { createHash } from 'node:crypto';
import { MySqlFault } from './mysql-fault.ts';
import { MySqlSession, type SessionOptions } from './session.ts';

/**
 * Connections that hold rows while they write, and so must be found by whoever takes over from a process that is
 * frozen in the middle of a transaction: each holds a user-level lock with its name, and IS_USED_LOCK tells which
 * connection that is. Unlike a connection's number, a name can't be another one's after the server has restarted.
 *
 * A process that lost such a connection and opens it anew ends the old one in the same way, so a transaction that
 * it left open waits for no time limit.
 */
export const sessionRoles = ['commit', 'projection', 'ledger-0', 'ledger-1', 'ledger-2', 'ledger-3'] as const;
export type SessionRole = (typeof sessionRoles)[number];

/** `holder`: the run of a process that it belongs to. */
export async function openNamedSession(
  options: SessionOptions,
  holder: string,
  role: SessionRole,
): Promise<MySqlSession> {
  const session = await MySqlSession.open(options);
  try {
    const name = lockName(holder, role);
    await endHolder(session, name);
    const [row] = await session.rows<[number | null]>('SELECT GET_LOCK(?, 1)', [name]);
    // One that was ended just now may still be rolling back: it is worth another try.
    if (row?.[0] !== 1) throw new MySqlFault('reconnect', `another connection of ${holder} stays open`, {});
    return session;
  } catch (error) {
    session.destroy();
    throw error;
  }
}

/** Ends all connections of `holder` that write: what they have not committed is rolled back. */
export async function endNamedSessions(session: MySqlSession, holder: string): Promise<void> {
  for (const role of sessionRoles) await endHolder(session, lockName(holder, role));
}

/**
 * ER_NO_SUCH_THREAD: it went by itself in between. ER_KILL_DENIED_ERROR: another user of the server's opened it, as
 * when a password was replaced by a new user; whoever needs its rows waits for them as for anybody's.
 */
const harmlessNumbers: readonly (number | undefined)[] = [1094, 1095];

async function endHolder(session: MySqlSession, name: string): Promise<void> {
  const [row] = await session.rows<[number | null]>('SELECT IS_USED_LOCK(?)', [name]);
  const connectionId = row?.[0] ?? null;
  if (connectionId === null || connectionId === session.connectionId) return;
  await session.change(`KILL ${Number(connectionId)}`).catch((error: unknown) => {
    if (!(error instanceof MySqlFault) || !harmlessNumbers.includes(error.errno)) throw error;
  });
}

/** At most 64 characters. A holder is a run of one process, so no other Usher of the same server has its name. */
function lockName(holder: string, role: SessionRole): string {
  return `usher.${createHash('sha256').update(holder).digest('hex').slice(0, 40)}.${role}`;
}
