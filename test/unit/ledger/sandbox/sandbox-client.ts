import { startSandboxGateway } from '../../../../src/ledger/sandbox/sandbox-gateway.ts';

interface Answer {
  readonly status: number;
  readonly isReplay: boolean;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the sandbox says
  readonly body: any;
}

/** Speaks to a sandbox as Stripe's clients do, without the SDK. */
export class SandboxClient {
  readonly url: string;
  readonly close: () => Promise<void>;

  private constructor(url: string, close: () => Promise<void>) {
    this.url = url;
    this.close = close;
  }

  /** @param file that the sandbox keeps what it remembers in. */
  static async start(file?: string): Promise<SandboxClient> {
    const sandbox = await startSandboxGateway({ port: 0, ...(file === undefined ? {} : { file }) });
    return new SandboxClient(sandbox.url, () => sandbox.close());
  }

  post(path: string, key: string, form: Record<string, string>, signal?: AbortSignal): Promise<Answer> {
    return this.#send(path, {
      method: 'POST',
      headers: { authorization: 'Bearer sk_test', 'idempotency-key': key },
      body: new URLSearchParams(form),
      ...(signal === undefined ? {} : { signal }),
    });
  }

  get(path: string): Promise<Answer> {
    return this.#send(path, { headers: { authorization: 'Bearer sk_test' } });
  }

  search(query: string, more: Record<string, string> = {}): Promise<Answer> {
    return this.get(`/v1/payment_intents/search?${new URLSearchParams({ query, ...more })}`);
  }

  /** A call of /sandbox. */
  turn(command: string, body: unknown): Promise<Answer> {
    return this.#send(`/sandbox/${command}`, {
      method: 'POST',
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  }

  async chargesOf(paymentId: string): Promise<number> {
    return (await this.get(`/sandbox/charges?paymentId=${paymentId}`)).body.charges.length;
  }

  async #send(path: string, request: RequestInit): Promise<Answer> {
    const response = await fetch(this.url + path, request);
    return {
      status: response.status,
      isReplay: response.headers.get('idempotent-replayed') === 'true',
      body: await response.json(),
    };
  }
}

export const payment = (card: string, key: string, more: Record<string, string> = {}) => ({
  amount: '1200',
  currency: 'eur',
  payment_method: card,
  confirm: 'true',
  'metadata[paymentId]': key,
  ...more,
});
