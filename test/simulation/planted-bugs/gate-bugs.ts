import { actor, awakeSchedule, groupCommit, type PlantedBug } from './planted-bug.ts';

/** The output gate: what is told before it is durable, or not told at all. */
export const gateBugs: readonly PlantedBug[] = [
  {
    name: 'a success is told before it is durable',
    breaks: 'I2',
    edits: [
      {
        file: actor,
        find: `append(this, decision, (result) =>
      reply(result === 'durable' ? outcome : unavailable(result)),
    );`,
        replace: 'append(this, decision, () => {});\n    reply(outcome);',
      },
    ],
  },
  {
    name: 'a refusal does not wait for the hold that it rests on',
    breaks: 'I9',
    edits: [
      {
        file: actor,
        find: `onDecision(intent.kind, code);
    this.#whenDurable((result) => reply(result === 'durable' ? outcome : unavailable(result)));`,
        replace: 'onDecision(intent.kind, code);\n    reply(outcome);',
      },
    ],
  },
  {
    name: 'a reservation is shown before it is durable',
    breaks: 'I9',
    edits: [
      {
        file: actor,
        find: `            : undefined;
        this.#whenDurable((result) => reply(result === 'durable' ? outcome : unavailable(result)));`,
        replace: '            : undefined;\n        reply(outcome);',
      },
    ],
  },
  {
    name: 'seats are counted before they are durable',
    breaks: 'I9',
    edits: [
      {
        file: actor,
        find: "this.#whenDurable((result) => resolve(result === 'durable' ? counts : result));",
        replace: 'resolve(counts);',
      },
    ],
  },
  {
    name: 'the free seats shown are those of memory',
    breaks: 'I9',
    edits: [
      {
        file: awakeSchedule,
        find: 'this.#changes.push(seatChangeOf(this.state, event));',
        replace: 'this.availability.apply(seatChangeOf(this.state, event));',
      },
    ],
  },
  {
    name: 'what waits for a lost batch is never told',
    breaks: 'one-answer',
    edits: [{ file: groupCommit, find: 'this.#settle(batch.waiting, code);', replace: '' }],
  },
  {
    name: 'what waits for a batch is told twice',
    breaks: 'one-answer',
    edits: [
      {
        file: groupCommit,
        find: "this.#settle(batch.waiting, 'durable');",
        replace: "this.#settle(batch.waiting, 'durable');\n      this.#settle(batch.waiting, 'durable');",
      },
    ],
  },
  {
    name: 'the free seats shown lag behind what was told',
    breaks: 'I9',
    edits: [
      { file: awakeSchedule, find: 'if (change.seq > seq) break;', replace: 'if (change.seq >= seq) break;' },
    ],
  },
  {
    name: 'a call that finds its actor recovering is dropped',
    breaks: 'one-answer',
    edits: [
      {
        file: 'src/actors/runtime/mailbox.ts',
        find: 'this.#items.push(item);',
        replace: 'if (this.#items.length < 2) this.#items.push(item);',
      },
    ],
  },
];
