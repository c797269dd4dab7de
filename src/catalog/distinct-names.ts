/**
 * Names as the plan has them, made distinct: the second `Main` is `Main (2)`. In the order of the calls, so
 * the same plan always gets the same names.
 */
export class DistinctNames {
  readonly #taken = new Set<string>();
  readonly #lastSuffix = new Map<string, number>();

  take(name: string): string {
    let suffix = this.#lastSuffix.get(name) ?? 1;
    let distinct = name;
    while (this.#taken.has(distinct)) {
      suffix += 1;
      distinct = `${name} (${suffix})`;
    }
    this.#lastSuffix.set(name, suffix);
    this.#taken.add(distinct);
    return distinct;
  }
}
