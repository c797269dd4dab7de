import type { ShardId } from '../../actors/allocator/ids.ts';
import {
  type ClusterRecords,
  type MovePhase,
  type MovePlan,
  type MoveRecord,
  movePhases,
  type OperatorAction,
} from '../../actors/runtime/cluster-records.ts';
import { StoreUnavailable } from '../../actors/runtime/ports.ts';
import { MySqlFault } from '../../mysql/mysql-fault.ts';
import { CommitFault, type MySqlSession } from '../../mysql/session.ts';
import { sqlList, sqlRows } from '../../mysql/sql-values.ts';
import { endedAtOf, leadsTo, shortened } from '../move-phases.ts';
import { unavailableOf, withPatience } from './patience.ts';

/** Gives a session for the time of `work`. Rejects with MySqlFault when there is none. */
type Use = <T>(work: (session: MySqlSession) => Promise<T>) => Promise<T>;

/**
 * ClusterRecords in MySQL. A shard has one open move at most, by a key of the table: two nodes may plan at once. A
 * COMMIT without an answer is StoreUnavailable, though what it was for may be there: whoever asks again sees it in
 * the lists.
 */
export class MySqlClusterRecords implements ClusterRecords {
  readonly #use: Use;
  readonly #patienceMs: number;

  constructor(use: Use, patienceMs: number) {
    this.#use = use;
    this.#patienceMs = patienceMs;
  }

  planMoves(moves: readonly MovePlan[], action: OperatorAction): Promise<readonly MoveRecord[]> {
    return this.#transaction(async (session) => {
      const recorded = moves.length === 0 ? [] : await planInOrder(session, moves, action.atMs);
      await insertAction(session, action);
      return recorded;
    });
  }

  listOpenMoves(): Promise<readonly MoveRecord[]> {
    return this.#read((session) => selectMoves(session, 'is_open = 1 ORDER BY move_id'));
  }

  async findMove(moveId: number): Promise<MoveRecord | undefined> {
    const [move] = await this.#read((session) => selectMoves(session, `move_id = ${Number(moveId)}`));
    return move;
  }

  updateMove(
    moveId: number,
    phase: Exclude<MovePhase, 'planned'>,
    detail: string,
    atMs: number,
  ): Promise<boolean> {
    const endedAtMs = endedAtOf(phase, atMs);
    const before = sqlList(leadsTo[phase].map(indexOfPhase));
    return this.#transaction(async (session) => {
      const { affectedRows } = await session.change(
        `UPDATE cluster_move SET phase = ?, is_open = ?, detail = ?, ended_at_ms = ?
         WHERE move_id = ? AND phase IN ${before}`,
        [indexOfPhase(phase), endedAtMs === 0 ? 1 : null, shortened(detail), endedAtMs, moveId],
      );
      return affectedRows === 1;
    });
  }

  appendAction(action: OperatorAction): Promise<void> {
    return this.#transaction((session) => insertAction(session, action));
  }

  listActions(limit: number): Promise<readonly OperatorAction[]> {
    return this.#read(async (session) => {
      const rows = await session.rows<[number, string, string, string]>(
        'SELECT at_ms, who, what, why FROM operator_action ORDER BY action_id DESC LIMIT ?',
        [limit],
      );
      return rows.map(([atMs, who, what, why]) => ({ atMs, who, what, why }));
    });
  }

  /** Tried again while nothing of it can be there. */
  #transaction<T>(work: (session: MySqlSession) => Promise<T>): Promise<T> {
    return withPatience(this.#patienceMs, async () => {
      try {
        return await this.#use((session) => session.transaction(() => work(session)));
      } catch (error) {
        if (error instanceof CommitFault) throw new StoreUnavailable(error.message, { cause: error });
        throw error;
      }
    });
  }

  async #read<T>(work: (session: MySqlSession) => Promise<T>): Promise<T> {
    try {
      return await this.#use(work);
    } catch (error) {
      throw error instanceof MySqlFault ? unavailableOf(error) : error;
    }
  }
}

async function planInOrder(
  session: MySqlSession,
  moves: readonly MovePlan[],
  plannedAtMs: number,
): Promise<readonly MoveRecord[]> {
  const ids = sqlList(moves.map(({ shardId }) => shardId));
  const open = await session.rows<[ShardId]>(
    `SELECT shard_id FROM cluster_move WHERE is_open = 1 AND shard_id IN ${ids}`,
  );
  const taken = new Set(open.flat());
  const rows: (string | number)[][] = [];
  for (const { shardId, fromNodeId, toNodeId, epoch } of moves) {
    if (taken.has(shardId)) continue;
    taken.add(shardId);
    rows.push([shardId, fromNodeId, toNodeId, epoch, indexOfPhase('planned'), 1, '', plannedAtMs, 0]);
  }
  if (rows.length === 0) return [];
  const columns = 'shard_id, from_node, to_node, epoch, phase, is_open, detail, planned_at_ms, ended_at_ms';
  try {
    await session.raw(
      'INSERT INTO cluster_move …',
      `INSERT INTO cluster_move (${columns}) VALUES ${sqlRows(rows)}`,
    );
  } catch (error) {
    // Somebody planned one of them in between: the next attempt sees it, and leaves it out.
    const isTaken = error instanceof MySqlFault && error.errno === duplicateKey;
    throw isTaken ? new MySqlFault('again', error.message, { cause: error }) : error;
  }
  const planned = sqlList(rows.map(([shardId]) => shardId!));
  const recorded = await selectMoves(session, `is_open = 1 AND shard_id IN ${planned}`);
  return recorded.toSorted((a, b) => a.moveId - b.moveId);
}

/** ER_DUP_ENTRY */
const duplicateKey = 1062;

async function insertAction(session: MySqlSession, { atMs, who, what, why }: OperatorAction): Promise<void> {
  await session.change('INSERT INTO operator_action (at_ms, who, what, why) VALUES (?, ?, ?, ?)', [
    atMs,
    who,
    what,
    why,
  ]);
}

type MoveRow = [
  moveId: number,
  shardId: ShardId,
  fromNodeId: string,
  toNodeId: string,
  epoch: number,
  phase: number,
  detail: string,
  plannedAtMs: number,
  endedAtMs: number,
];

async function selectMoves(session: MySqlSession, where: string): Promise<readonly MoveRecord[]> {
  const rows = await session.rows<MoveRow>(
    `SELECT move_id, shard_id, from_node, to_node, epoch, phase, detail, planned_at_ms, ended_at_ms
     FROM cluster_move WHERE ${where}`,
  );
  return rows.map(toMove);
}

const toMove = ([
  moveId,
  shardId,
  fromNodeId,
  toNodeId,
  epoch,
  phase,
  detail,
  plannedAtMs,
  endedAtMs,
]: MoveRow): MoveRecord => ({
  moveId,
  shardId,
  fromNodeId,
  toNodeId,
  epoch,
  phase: movePhases[phase]!,
  detail,
  plannedAtMs,
  endedAtMs,
});

const indexOfPhase = (phase: MovePhase): number => movePhases.indexOf(phase);
