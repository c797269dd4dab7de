import { coordinator, type PlantedBug } from './planted-bug.ts';

const world = 'cluster';

/** Who decides that a node is dead, and what is to be moved. */
export const coordinationBugs: readonly PlantedBug[] = [
  {
    name: 'shards are claimed before their owner’s lease has ended',
    breaks: 'I13',
    world,
    edits: [
      {
        file: coordinator,
        find: 'filter((owner) => !membership.isLive(owner))',
        replace:
          'filter((owner) => !membership.live().some((node) => node.instanceId === owner && node.heartbeatAgeMs < 400))',
      },
      { file: coordinator, find: '(await orders.ping(owner)) ? undefined : owner', replace: 'owner' },
    ],
  },
  {
    name: 'a registry that comes back empty is believed',
    breaks: 'I13',
    world,
    edits: [
      {
        file: coordinator,
        find: 'if (!membership.mayJudge(clock.monotonicMs())) return;',
        replace: '',
      },
      {
        file: 'src/cluster/membership.ts',
        find: 'sighting.isInView || this.#isFresh(sighting)',
        replace: 'sighting.isInView',
      },
      { file: coordinator, find: '(await orders.ping(owner)) ? undefined : owner', replace: 'owner' },
    ],
  },
  {
    name: 'a claim that failed is never tried again',
    breaks: 'I13',
    world,
    edits: [
      {
        file: coordinator,
        find: 'const againAtMs = clock.monotonicMs() + (result.isDone ? 0 : retryMs);',
        replace: 'if (!result.isDone) return;\n        const againAtMs = clock.monotonicMs();',
      },
    ],
  },
  {
    name: 'a move that has ended is not written down',
    breaks: 'I13',
    world,
    edits: [
      {
        file: coordinator,
        find: "await kept.updateMove(moveId, isDone ? 'done' : 'failed', detail.slice(0, 500), clock.nowMs());",
        replace: '',
      },
    ],
  },
  {
    name: 'moves of a coordinator that has died are left alone',
    breaks: 'I13',
    world,
    edits: [
      {
        file: coordinator,
        find: 'for (const move of await kept.listOpenMoves()) {',
        replace:
          "for (const move of (await kept.listOpenMoves()).filter(({ phase }) => phase === 'planned')) {",
      },
    ],
  },
];
