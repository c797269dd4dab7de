import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';

/** The call came back with a refusal, or not at all. The message is for a person. */
export class AdminCallFailed extends Error {
  override name = 'AdminCallFailed';
  /** The node is away for a moment, or can't answer now: the same question may be answered later. */
  readonly mayPass: boolean;

  constructor(message: string, mayPass: boolean) {
    super(message);
    this.mayPass = mayPass;
  }
}

interface AdminOptions {
  readonly 'admin-url'?: string | undefined;
  readonly 'admin-token'?: string | undefined;
}

/** For parseArgs: every command that talks to a node takes these. */
export const adminOptions = {
  'admin-url': { type: 'string' },
  'admin-token': { type: 'string' },
  json: { type: 'boolean', default: false },
} as const;

export const adminOptionsHelp = [
  '',
  '  --admin-url URL      admin port of a running node (ADMIN_URL; http://127.0.0.1:8081)',
  "  --admin-token TOKEN  its bearer token (ADMIN_TOKEN; else the demo's, from DATA_DIR/admin-token)",
  '  --json               the answer as JSON',
];

const callMaxMs = 60_000;

interface CallOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly limitMs?: number;
}

const problemSchema = v.object({
  title: v.string(),
  detail: v.optional(v.string()),
  seatIds: v.optional(v.array(v.string())),
  conflictingSeatIds: v.optional(v.array(v.string())),
  errors: v.optional(v.array(v.object({ path: v.string(), message: v.string() }))),
});

/** Calls the admin port of a running node. */
export class AdminClient {
  readonly #url: string;
  readonly #token: string;

  constructor(options: AdminOptions, environment: NodeJS.ProcessEnv = process.env) {
    this.#url = (options['admin-url'] ?? environment['ADMIN_URL'] ?? 'http://127.0.0.1:8081').replace(
      /\/$/,
      '',
    );
    this.#token = options['admin-token'] ?? environment['ADMIN_TOKEN'] ?? demoToken(environment) ?? '';
  }

  /** The answer, as `schema` reads it. @throws AdminCallFailed */
  get<Schema extends v.GenericSchema>(
    path: string,
    schema: Schema,
    options: CallOptions = {},
  ): Promise<v.InferOutput<Schema>> {
    return this.#call('GET', path, undefined, schema, options);
  }

  post<Schema extends v.GenericSchema>(
    path: string,
    body: unknown,
    schema: Schema,
    options: CallOptions = {},
  ): Promise<v.InferOutput<Schema>> {
    return this.#call('POST', path, JSON.stringify(body), schema, options);
  }

  async #call<Schema extends v.GenericSchema>(
    method: string,
    path: string,
    body: string | undefined,
    schema: Schema,
    { headers = {}, limitMs = callMaxMs }: CallOptions,
  ): Promise<v.InferOutput<Schema>> {
    let response: Response;
    let text: string;
    try {
      response = await fetch(this.#url + path, {
        method,
        headers: {
          ...headers,
          authorization: `Bearer ${this.#token}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body }),
        signal: AbortSignal.timeout(limitMs),
      });
      text = await response.text();
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      throw new AdminCallFailed(`no answer from ${this.#url}: ${messageOf(cause)}`, true);
    }
    if (!response.ok) {
      throw new AdminCallFailed(describeRefusal(response.status, text), passing.includes(response.status));
    }
    const answer = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), text);
    if (!answer.success)
      throw new AdminCallFailed(`${this.#url} does not answer as an admin port of Usher does`, false);
    return answer.output;
  }
}

/** Of a node that can't answer now, and of what stands before one that is away. */
const passing = [429, 502, 503, 504];

function demoToken(environment: NodeJS.ProcessEnv): string | undefined {
  const file = join(environment['DATA_DIR'] ?? './data', 'admin-token');
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined;
}

function describeRefusal(status: number, text: string): string {
  const problem = v.safeParse(v.pipe(v.string(), v.parseJson(), problemSchema), text);
  if (!problem.success) return `the node answered ${status}`;
  const { title, detail, errors = [], seatIds = [], conflictingSeatIds = [] } = problem.output;
  const seats = [...seatIds, ...conflictingSeatIds].map((seatId) => `  ${seatId}`);
  return [
    `${status} ${detail ?? title}`,
    ...seats,
    ...errors.map((fault) => `  ${fault.path}: ${fault.message}`),
  ].join('\n');
}

const messageOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  return error.message !== '' ? error.message : 'code' in error ? String(error.code) : error.name;
};
