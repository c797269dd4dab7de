import { expect, it } from 'vitest';
import { Exclusive } from '../../../../src/persistence/mysql/exclusive.ts';

it('Exclusive runs one after another, in the order of the calls, whatever they throw', async () => {
  const exclusive = new Exclusive();
  const log: string[] = [];
  let running = 0;
  const work =
    (name: string, takesMs: number, fails = false) =>
    async () => {
      running += 1;
      expect(running).toBe(1);
      await new Promise((resolve) => setTimeout(resolve, takesMs));
      running -= 1;
      log.push(name);
      if (fails) throw new Error(name);
      return name;
    };
  const results = await Promise.allSettled([
    exclusive.run(work('slow', 20)),
    exclusive.run(work('fails', 1, true)),
    exclusive.run(work('quick', 0)),
  ]);
  expect(log).toEqual(['slow', 'fails', 'quick']);
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
});

it('whoever awaits a result hears of it before the next one begins', async () => {
  const exclusive = new Exclusive();
  const log: string[] = [];
  const first = exclusive.run(async () => {});
  const noted = first.then(() => log.push('noted'));
  const second = exclusive.run(async () => void log.push('second'));
  await Promise.all([noted, second]);
  expect(log).toEqual(['noted', 'second']);
});
