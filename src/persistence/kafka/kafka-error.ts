/** kafkajs wraps what a broker said in errors of its own, several deep; the broker's word is the innermost `type`. */
export function brokerErrorType(error: unknown): string | undefined {
  return saidByBroker(error)?.type;
}

/** For people: what was said, and the broker's word for it where there is one. Our own errors say it all. */
export function describeKafkaError(error: unknown): string {
  const { message, type } = saidByBroker(error) ?? { message: messageOf(error), type: undefined };
  return type === undefined || message.includes(type) ? message : `${message} (${type})`;
}

const saidByBroker = (error: unknown): ChainedError | undefined =>
  chainOf(error).findLast(({ type }) => typeof type === 'string');

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

interface ChainedError extends Error {
  readonly type?: string;
  readonly errors?: readonly unknown[];
}

const depthMax = 8;

function chainOf(error: unknown): readonly ChainedError[] {
  const chain: ChainedError[] = [];
  let next = error;
  while (next instanceof Error && next.name.startsWith('KafkaJS') && chain.length < depthMax) {
    const current: ChainedError = next;
    chain.push(current);
    next = current.errors?.[0] ?? current.cause;
  }
  return chain;
}
