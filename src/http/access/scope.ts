/** What an access token allows. */
export const scopes = ['reserve', 'pay', 'points:read', 'points:charge'] as const;
export type Scope = (typeof scopes)[number];

const known: ReadonlySet<string> = new Set(scopes);

export const isScope = (text: string): text is Scope => known.has(text);

/** Of a space-separated list; what Usher does not know means nothing to it. */
export const parseScopes = (list: string): readonly Scope[] => list.split(' ').filter(isScope);
