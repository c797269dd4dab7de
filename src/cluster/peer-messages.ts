/**
 * What goes over a channel, in version 1 of the wire format. Who has opened it asks, the other end answers; `call`
 * and `subscribe` take their ids from one sequence that rises, so that one number tells what has been seen.
 *
 * Whoever reads takes what it knows and ignores the rest: messages and fields of a newer version among them.
 */
export type Question =
  | { readonly call: number; readonly method: string; readonly body: unknown }
  | { readonly subscribe: number; readonly method: string; readonly body: unknown }
  | { readonly unsubscribe: number }
  | { readonly ping: true };

export type Answer =
  | { readonly reply: number; readonly answer: unknown }
  /** The next one of a stream. */
  | { readonly stream: number; readonly message: object }
  /** Nothing more comes of the stream. */
  | { readonly ended: number }
  | { readonly pong: true }
  /** The node stops: it answers what it has been asked, and is to be asked nothing more. */
  | { readonly leave: true };

/** Any message as it is read: whichever fields it has, and none of them checked. */
type Unchecked<Message> = { readonly [Field in FieldOf<Message>]?: unknown };

type FieldOf<Message> = Message extends unknown ? keyof Message : never;

/** Undefined: nothing that could be one. */
export function unchecked<Message>(message: unknown): Unchecked<Message> | undefined {
  return typeof message === 'object' && message !== null ? message : undefined;
}
