import { clusterCoverage } from './cluster/cluster-coverage.ts';
import { clusterSeedsFrom } from './scenario.ts';
import type { SeedRange } from './settings.ts';

/**
 * How often, at least, each kind of thing happens in so many operations: about half of what was counted when this
 * was written. A simulation in which something no longer happens has gone blind to it.
 */
interface Coverage {
  readonly operationCount: number;
  readonly leastCounts: Readonly<Record<string, number>>;
}

const leastCounts: Readonly<Record<string, number>> = {
  'batches committed': 15_000,
  'batches of several rows': 4_000,
  'batches lost': 1_500,
  'batches fenced': 150,
  'answer lost, batch landed': 300,
  'answer lost, batch not-landed': 300,
  'answer lost, batch later': 700,
  'late commit committed': 150,
  'late commit fenced': 500,
  'resolved as committed': 150,
  'resolved as not-committed': 400,
  'resolved as fenced': 12,
  'store failed: commit': 1_000,
  'store failed: resolve': 1_000,
  'store failed: claim': 250,
  'store failed: load': 800,
  crashes: 600,
  zombies: 150,
  'died with a commit on its way: landed': 10,
  'died with a commit on its way: not-landed': 10,
  'died with a commit on its way: later': 20,
  'starts failed': 250,
  stops: 500,
  intrusions: 180,
  'actors put to sleep': 250,
  recoveries: 5_000,
  'load: image and tail': 2_500,
  'clock jumps forward': 350,
  'clock jumps back': 350,
  'holds expired': 9_000,
  'told: reservation': 14_000,
  'told: replayed': 2_500,
  'told: cancelled': 2_000,
  'told: blocks-changed': 2_000,
  'told: availability': 5_000,
  'told: counts': 2_500,
  'told: audit': 1_500,
  'told: seats-taken': 7_000,
  'told: not-enough-adjacent-seats': 1_500,
  'told: sold-out': 150,
  'told: orphan-seat': 1_000,
  'told: seat-limit-exceeded': 800,
  'told: not-on-sale': 400,
  'told: unknown-seats': 400,
  'told: duplicate-seats': 400,
  'told: invalid-request': 200,
  'told: idempotency-key-reused': 500,
  'told: hold-expired': 2_000,
  'told: already-cancelled': 500,
  'told: hold-limit-reached': 25,
  'told: not-found': 1_500,
  'asked: pay': 7_000,
  'charge: charged': 700,
  'ledger batches': 4_000,
  'ledger batches of several operations': 150,
  'ledger worker died: landed': 130,
  'ledger worker died: not-landed': 120,
  'ledger worker died: later': 200,
  'gateway call late': 300,
  'gateway call lost': 200,
  'gateway call not-sent': 300,
  'gateway call unanswered': 300,
  'gateway says voided': 80,
  'gateway says begun': 100,
  'gateway says none': 15,
  'gateway says refunded': 120,
  'gateway at rest': 180,
  'payment by card: approved': 300,
  'payment by card: cancelled': 200,
  'payment by card: declined': 150,
  'payment by card: refunded': 150,
  'payment by points: approved': 400,
  'payment by points: cancelled': 20,
  'payment by points: insufficient-points': 500,
  'payment by points: refunded': 50,
  'told: already-paid': 1_200,
  'told: payment-in-progress': 600,
  'told: insufficient-points': 400,
  'told: payment-declined': 110,
  'told: gateway-unavailable': 200,
  'told: overloaded': 800,
  'told: store-unavailable': 5_000,
  'told: shard-moving': 600,
  'told: not-ready': 100,
};

const coverageOf = ({ firstSeed }: SeedRange): Coverage =>
  firstSeed >= clusterSeedsFrom ? clusterCoverage : { operationCount: 500 * 300, leastCounts };

/** A line for each kind of thing that happened too seldom; a few seeds tell nothing. */
export function coverageGaps(range: SeedRange, counts: Record<string, number>): readonly string[] {
  const whole = coverageOf(range);
  const share = (range.seedCount * range.operationCount) / whole.operationCount;
  if (share < 1 / 4) return [];
  return Object.entries(whole.leastCounts)
    .map(([name, count]) => ({ name, least: Math.floor(count * share) }))
    .filter(({ name, least }) => (counts[name] ?? 0) < least)
    .map(({ name, least }) => `${name}: ${counts[name] ?? 0}, at least ${least} are wanted`);
}

/** What a run of many seeds went through, for the log. */
export function coverageSummary(range: SeedRange, counts: Record<string, number>): string {
  const sum = (...names: string[]) => names.reduce((total, name) => total + (counts[name] ?? 0), 0);
  const [landed, notLanded, later] = (['landed', 'not-landed', 'later'] as const).map((fate) =>
    sum(`answer lost, batch ${fate}`),
  );
  return [
    `${range.world}, ${range.seedCount} seeds × ${range.operationCount} operations:`,
    `${sum('batches committed')} commits, ${sum('batches lost')} failed, ${sum('batches fenced')} fenced;`,
    `${sum(...['landed', 'not-landed', 'later'].map((fate) => `answer lost, batch ${fate}`))} of unknown outcome`,
    `(${landed} landed, ${notLanded} did not, ${later} came later);`,
    ...(range.firstSeed >= clusterSeedsFrom
      ? [
          `${sum('kill')} kills, ${sum('hang', 'hang-and-replace')} frozen nodes, ${sum('cut-network', 'isolate')} cuts;`,
          `${sum('moves done')} moves, ${sum('moves failed', 'moves taken-back')} failed, ${sum('shards claimed')} shards claimed;`,
          `${sum('forwarded: answered')} calls answered by another node, ${sum('forwarded: no-answer')} not;`,
        ]
      : [
          `${sum('crashes')} crashes, ${sum('zombies')} frozen nodes, ${sum('stops')} stops, ${sum('intrusions')} take-overs;`,
        ]),
    `${sum('clock jumps forward', 'clock jumps back')} clock jumps; ${sum('recoveries')} recoveries;`,
    `${sum('payment by points: approved', 'payment by card: approved')} payments,`,
    `${sum('payment by points: refunded', 'payment by card: refunded')} given back;`,
    `${sum('told: reservation')} successes and ${sum('told: replayed')} replays told`,
  ].join(' ');
}
