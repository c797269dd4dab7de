/** `host:port`, where an IPv6 host is in brackets. Undefined for what is none. */
export function parsePeerAddress(
  address: string,
): { readonly host: string; readonly port: number } | undefined {
  const [, ipv6, name, port] = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]]+)):(\d{1,5})$/.exec(address) ?? [];
  const host = ipv6 ?? name;
  if (host === undefined || Number(port) < 1 || Number(port) > 65_535) return undefined;
  return { host, port: Number(port) };
}
