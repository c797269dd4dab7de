import { refusedParameter, type SandboxReply } from './stripe-shapes.ts';

/** What an intent is searched by. */
interface Searchable {
  readonly status: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** A search for intents, as far as the sandbox understands one. */
export interface IntentSearch {
  readonly limit: number;
  isMatch(intent: Searchable): boolean;
}

/**
 * Of Stripe's query language: clauses `metadata['key']:'value'` and `status:'value'`, ten at most, with ` AND `
 * between them. Unlike Stripe's, a comparison minds upper case, and what was just made is found at once.
 * https://docs.stripe.com/search#search-query-language
 *
 * @returns the search, or how Stripe refuses it.
 */
export function parseIntentSearch(form: URLSearchParams): IntentSearch | SandboxReply {
  const query = form.get('query');
  if (query === null) return refusedParameter('query', 'parameter_missing', 'Missing: query.');
  if (!wholeQuery.test(query)) {
    return refusedParameter('query', 'parameter_invalid', 'The sandbox does not understand this query.');
  }
  const limit = form.get('limit') ?? '10';
  if (!/^([1-9][0-9]?|100)$/.test(limit)) {
    return refusedParameter('limit', 'parameter_invalid_integer', 'Invalid integer.');
  }
  if (form.has('page')) return refusedParameter('page', 'parameter_invalid', 'The sandbox has one page.');
  const clauses = Array.from(query.matchAll(oneClause), ([, key, value]) => ({ key, value }));
  return {
    limit: Number(limit),
    isMatch: ({ status, metadata }) =>
      clauses.every(({ key, value }) => (key === undefined ? status : ownValue(metadata, key)) === value),
  };
}

/** Nothing is escaped, so a quote always ends a value. */
const clause = String.raw`(?:metadata\['([^'\\]{1,40})'\]|status):'([^'\\]{1,500})'`;
const oneClause = new RegExp(clause, 'g');
const wholeQuery = new RegExp(`^${clause}(?: AND ${clause}){0,9}$`);

const ownValue = (metadata: Readonly<Record<string, string>>, key: string): string | undefined =>
  Object.hasOwn(metadata, key) ? metadata[key] : undefined;
