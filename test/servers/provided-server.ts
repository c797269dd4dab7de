import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  /** Where the servers are that all files of a project share. */
  interface ProvidedContext {
    mysqlUrl: string;
    redisUrl: string;
    kafkaBrokers: string;
  }
}

type AddressName = 'mysqlUrl' | 'redisUrl' | 'kafkaBrokers';

interface StartedServer {
  readonly address: string;
  stop(): Promise<void>;
}

/** The server that the environment names, or else one of our own; what ends it, for vitest to call. */
export async function provideServer(
  project: TestProject,
  name: AddressName,
  environmentName: string,
  start: () => Promise<StartedServer>,
): Promise<() => Promise<void>> {
  const given = process.env[environmentName];
  const server = given === undefined ? await start() : { address: given, stop: async () => undefined };
  project.provide(name, server.address);
  return () => server.stop();
}
