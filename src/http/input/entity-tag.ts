/** Whether If-None-Match names the tag (RFC 9110, 13.1.2): weak comparison, in a list, or `*`. */
export function matchesTag(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false;
  if (header === tag || header === '*') return true;
  return header.split(',').some((part) => part.trim().replace(/^W\//, '') === tag);
}
