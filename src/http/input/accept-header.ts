/**
 * The weights of Accept and Accept-Encoding (RFC 9110, 12.4.2 and 12.5). A part that can't be read is as if
 * it were not there.
 */
interface Preference {
  readonly range: string;
  readonly weight: number;
}

const WEIGHT = /^q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/i;

function preferencesOf(header: string): readonly Preference[] {
  return header.split(',').flatMap((part) => {
    const [range = '', ...parameters] = part.split(';').map((text) => text.trim());
    const given = parameters.findLast((text) => /^q=/i.test(text));
    const weight = given === undefined ? 1 : Number(WEIGHT.exec(given)?.[1] ?? Number.NaN);
    return range === '' || Number.isNaN(weight) ? [] : [{ range: range.toLowerCase(), weight }];
  });
}

const weightOf = (preferences: readonly Preference[], ranges: readonly string[]): number => {
  for (const range of ranges) {
    const found = preferences.find((preference) => preference.range === range);
    if (found !== undefined) return found.weight;
  }
  return 0;
};

/** The offer that is liked best, the earlier one of equals; undefined when none is acceptable. */
export function preferredType<const Offer extends string>(
  header: string | undefined,
  offers: readonly Offer[],
): Offer | undefined {
  if (header === undefined || header === '*/*') return offers[0];
  const exact = offers.find((offer) => offer === header);
  if (exact !== undefined) return exact;
  const preferences = preferencesOf(header);
  let best: Offer | undefined;
  let bestWeight = 0;
  for (const offer of offers) {
    const weight = weightOf(preferences, [offer, `${offer.slice(0, offer.indexOf('/'))}/*`, '*/*']);
    if (weight <= bestWeight) continue;
    best = offer;
    bestWeight = weight;
  }
  return best;
}

/** Whether the client asked for gzip and likes it no less than nothing. */
export function acceptsGzip(header: string | string[] | undefined): boolean {
  if (typeof header !== 'string') return false;
  if (header === 'gzip' || header === 'gzip, deflate, br' || header === 'gzip, deflate, br, zstd')
    return true;
  return weightOf(preferencesOf(header), ['gzip', 'x-gzip', '*']) > 0;
}
