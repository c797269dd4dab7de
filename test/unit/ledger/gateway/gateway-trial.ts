import { StripeGateway, type StripeGatewayOptions } from '../../../../src/ledger/gateway/stripe-gateway.ts';
import { type SandboxGateway, startSandboxGateway } from '../../../../src/ledger/sandbox/sandbox-gateway.ts';

export const apiKey = 'sk_test_a-secret-of-the-merchant';
export const installationId = 'theater0001';

export interface SandboxCharge {
  readonly paymentIntentId: string;
  readonly paymentId: string | null;
  readonly amount: number;
  readonly currency: string;
  readonly refunded: boolean;
  readonly refunds: readonly { readonly refundId: string; readonly amount: number }[];
}

/** A gateway, and the sandbox that it talks to over loopback. */
export class GatewayTrial {
  readonly gateway: StripeGateway;
  readonly sandbox: SandboxGateway;
  /** What the observer heard, as `charge approved`, `breaker open` and `fault FAULT: CODE`. */
  readonly heard: string[];
  /** Those of the faults among it. */
  readonly errors: readonly Error[];

  private constructor(
    gateway: StripeGateway,
    sandbox: SandboxGateway,
    heard: string[],
    errors: readonly Error[],
  ) {
    this.gateway = gateway;
    this.sandbox = sandbox;
    this.heard = heard;
    this.errors = errors;
  }

  static async start(
    options: Partial<
      Pick<StripeGatewayOptions, 'apiKey' | 'installationId' | 'callsMax' | 'callLimitMs' | 'breakerOpenMs'>
    > = {},
    sandbox?: SandboxGateway,
  ): Promise<GatewayTrial> {
    const account = sandbox ?? (await startSandboxGateway({ port: 0 }));
    const heard: string[] = [];
    const errors: Error[] = [];
    const gateway = await StripeGateway.open({
      apiUrl: account.url,
      apiKey,
      installationId,
      ...options,
      observer: {
        onGatewayCall: (call, outcome, durationMs) => {
          heard.push(`${call} ${outcome}`);
          if (!(durationMs >= 0)) heard.push(`a duration of ${durationMs}`);
        },
        onBreaker: (state) => heard.push(`breaker ${state}`),
        onFault: (fault, error) => {
          heard.push(`fault ${fault}: ${(error as Error).message}`);
          errors.push(error as Error);
        },
      },
    });
    return new GatewayTrial(gateway, account, heard, errors);
  }

  async charges(paymentId?: string): Promise<readonly SandboxCharge[]> {
    const query = paymentId === undefined ? '' : `?paymentId=${paymentId}`;
    const response = await fetch(`${this.sandbox.url}/sandbox/charges${query}`);
    return ((await response.json()) as { charges: SandboxCharge[] }).charges;
  }

  /** @param command `down`, `up` or `delay`. */
  async turn(command: string, body: object = {}): Promise<void> {
    const request = { method: 'POST', body: JSON.stringify(body) };
    const response = await fetch(`${this.sandbox.url}/sandbox/${command}`, request);
    if (response.status !== 200) throw new Error(`${command}: ${response.status} ${await response.text()}`);
  }

  async stop(): Promise<void> {
    await this.gateway.close();
    await this.sandbox.close();
  }
}

/** Asks until it is told. @throws when that takes longer than any machine needs. */
export async function until<Value>(
  ask: () => Promise<Value>,
  isSo: (value: Value) => boolean,
): Promise<Value> {
  const deadlineMs = performance.now() + 5_000;
  for (;;) {
    const value = await ask();
    if (isSo(value)) return value;
    if (performance.now() > deadlineMs) throw new Error(`still ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
