/** What the worker makes of one call: the port's answer, and what it says of the gateway's health. */
export interface GatewayReply<Answer> {
  readonly answer: Answer;
  /** The gateway did not do its work: counts against the breaker. A decline is work done. */
  readonly isFailure: boolean;
  /** For people: how Stripe refused a request that no other card would have helped. */
  readonly refusal?: string;
}
