import type { UsherProcess } from './usher-process.ts';

/** The value of a metric, which is named with its labels; NaN while there is none. */
export async function metricOf(usher: UsherProcess, name: string): Promise<number> {
  const text = await (await usher.admin('GET', '/metrics')).text();
  const line = text.split('\n').find((each) => each.startsWith(`${name} `));
  return Number(line?.slice(name.length));
}
