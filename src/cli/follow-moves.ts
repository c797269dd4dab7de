import { setTimeout as sleep } from 'node:timers/promises';
import { AdminCallFailed, type AdminClient } from './admin-client.ts';
import { clusterAnswer, type MoveAnswer, moveAnswer, type PlannedMove } from './cluster-answers.ts';

export interface MoveCounts {
  readonly total: number;
  readonly done: number;
  /** Begun, and not ended. */
  readonly inFlight: number;
  readonly failed: number;
}

interface FollowTiming {
  readonly askEveryMs: number;
  /** One call; a node that hangs is asked again. */
  readonly callMaxMs: number;
  /** A node may restart meanwhile; silent for longer, it is given up. */
  readonly silenceMaxMs: number;
}

export const followTiming: FollowTiming = { askEveryMs: 500, callMaxMs: 5_000, silenceMaxMs: 60_000 };

interface FollowOptions {
  readonly timing: FollowTiming;
  /** No limit: until the last has ended. */
  readonly waitMaxMs: number | undefined;
  readonly onProgress: (counts: MoveCounts) => void;
  readonly onSilence: (reason: string) => void;
}

interface Followed {
  readonly ended: readonly MoveAnswer[];
  /** What was still under way when the waiting was over. */
  readonly open: readonly PlannedMove[];
}

/**
 * Looks at the moves until the last has ended. The cluster tells in one answer which ones are open; only of those
 * that are not is asked one by one how they ended.
 *
 * @throws AdminCallFailed when the node refuses, or is silent for too long. The moves go on.
 */
export async function followMoves(
  admin: AdminClient,
  moves: readonly PlannedMove[],
  { timing, waitMaxMs = Number.POSITIVE_INFINITY, onProgress, onSilence }: FollowOptions,
): Promise<Followed> {
  const open = new Map(moves.map((move) => [move.moveId, move]));
  const ended: MoveAnswer[] = [];
  const deadlineMs = performance.now() + waitMaxMs;
  const limitMs = () => Math.max(1, Math.min(timing.callMaxMs, Math.ceil(deadlineMs - performance.now())));
  let answeredAtMs = performance.now();
  for (;;) {
    try {
      await look(admin, open, ended, limitMs);
      answeredAtMs = performance.now();
      onProgress(countsOf(open, ended));
    } catch (error) {
      if (!(error instanceof AdminCallFailed) || !error.mayPass) throw error;
      if (performance.now() - answeredAtMs > timing.silenceMaxMs) {
        throw new AdminCallFailed(`${error.message}\nThe moves go on: usher cluster status`, false);
      }
      onSilence(error.message);
    }
    if (open.size === 0 || performance.now() >= deadlineMs) return { ended, open: [...open.values()] };
    await sleep(Math.min(timing.askEveryMs, Math.max(0, deadlineMs - performance.now())));
  }
}

/** Takes from `open` what has ended. What was learnt before a call failed stays learnt. */
async function look(
  admin: AdminClient,
  open: Map<number, PlannedMove>,
  ended: MoveAnswer[],
  limitMs: () => number,
): Promise<void> {
  const { moves } = await admin.get('/admin/cluster', clusterAnswer, { limitMs: limitMs() });
  const live = new Map(moves.map((move) => [move.moveId, move]));
  for (const [moveId, known] of open) {
    const current =
      live.get(moveId) ??
      (await admin.get(`/admin/cluster/moves/${moveId}`, moveAnswer, { limitMs: limitMs() }));
    if (isEnded(current)) {
      open.delete(moveId);
      ended.push(current);
    } else open.set(moveId, { ...known, phase: current.phase });
  }
}

const isEnded = (move: PlannedMove): move is MoveAnswer =>
  'detail' in move && (move.phase === 'done' || move.phase === 'failed');

function countsOf(open: ReadonlyMap<number, PlannedMove>, ended: readonly MoveAnswer[]): MoveCounts {
  const failed = ended.filter(({ phase }) => phase === 'failed').length;
  const waiting = [...open.values()].filter(({ phase }) => phase === 'planned').length;
  return {
    total: open.size + ended.length,
    done: ended.length - failed,
    inFlight: open.size - waiting,
    failed,
  };
}
