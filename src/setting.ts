import * as v from 'valibot';

/** One setting of the environment: what it takes, its default and what it means. */
export interface Setting<T> {
  readonly schema: v.GenericSchema<string, T>;
  /** As it would be written in the environment; undefined = not set. */
  readonly default: string | undefined;
  readonly takes: string;
  readonly meaning: string;
  readonly isSecret?: true;
}

const integer = (min: number, max: number) =>
  v.pipe(v.string(), v.regex(/^[0-9]{1,15}$/), v.transform(Number), v.minValue(min), v.maxValue(max));

export const integerSetting = (
  fallback: number,
  min: number,
  max: number,
  meaning: string,
): Setting<number> => ({
  schema: integer(min, max),
  default: `${fallback}`,
  takes: `an integer from ${min} to ${max}`,
  meaning,
});

export const limitSetting = (min: number, max: number, meaning: string): Setting<number> => ({
  schema: integer(min, max),
  default: undefined,
  takes: `an integer from ${min} to ${max}; unset = no limit`,
  meaning,
});

export const text = (fallback: string | undefined, meaning: string): Setting<string> => ({
  schema: v.pipe(v.string(), v.minLength(1)),
  default: fallback,
  takes: 'text',
  meaning,
});

export const secretOf = (lengthMin: number, meaning: string): Setting<string> => ({
  schema: v.pipe(
    v.string(),
    v.check((value) => Buffer.byteLength(value) >= lengthMin),
  ),
  default: undefined,
  takes: lengthMin > 1 ? `at least ${lengthMin} bytes` : 'text',
  meaning,
  isSecret: true,
});

export const choice = <Word extends string>(
  words: readonly Word[],
  fallback: Word,
  meaning: string,
): Setting<Word> => ({
  schema: v.picklist(words),
  default: fallback,
  takes: words.join(', '),
  meaning,
});

/** Text that passes `isValid`. */
export const checkedText = (
  isValid: (value: string) => boolean,
  takes: string,
  meaning: string,
): Setting<string> => ({
  schema: v.pipe(v.string(), v.check(isValid)),
  default: undefined,
  takes,
  meaning,
});
