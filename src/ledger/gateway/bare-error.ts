import { codeOf } from './code-word.ts';

/**
 * What may be told of an error that came from anywhere: its code or name, and where it happened. A message may
 * carry a key or a card.
 */
export function bareError(error: unknown): Error {
  if (!(error instanceof Error)) return new Error('not an error');
  const bare = new Error(codeOf((error as NodeJS.ErrnoException).code) ?? codeOf(error.name) ?? 'nameless');
  const frames = error.stack?.split('\n').filter((line) => /^ {4}at /.test(line)) ?? [];
  bare.stack = [String(bare), ...frames].join('\n');
  return bare;
}
