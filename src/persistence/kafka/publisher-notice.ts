/** What publishing tells people. The same thing is told once a minute at most. */
export type PublisherNotice =
  /** For the first time, or again. */
  | { readonly kind: 'connected' }
  /** Contained, and tried again: events wait in the journal, and sales go on. */
  | { readonly kind: 'fault'; readonly fault: string; readonly message: string }
  /** From kafkajs: how it comes to a fault, mostly. */
  | { readonly kind: 'warning'; readonly message: string };
