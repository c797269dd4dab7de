import { describeSettings, readConfig, requireServeSettings } from '../../../src/config.ts';

/** The environment of a node as a deployment gives it. */
export type NodeEnvironment = Readonly<Record<string, string>>;

const settingNames = new Set(describeSettings({}).map(({ name }) => name));

/** Names that Usher would not heed. */
export const unknownSettings = (environment: NodeEnvironment): readonly string[] =>
  Object.keys(environment).filter((name) => !settingNames.has(name));

/** @throws ConfigError, with what a node that is started so would say. */
export function assertServes(environment: NodeEnvironment): void {
  requireServeSettings(readConfig({ ...environment }));
}

/** What `usher config` says of it. */
export const defaultOf = (name: string): string | undefined =>
  describeSettings({}).find((setting) => setting.name === name)?.default;

/** run-node.ts: beyond the time for open requests, the last commit and closing the store. */
const closingSeconds = 15;

/** From SIGTERM until a node ends itself at the latest. */
export const secondsToEnd = (environment: NodeEnvironment): number =>
  Number(environment['DRAIN_MAX_SECONDS']) + Number(environment['SHUTDOWN_GRACE_SECONDS']) + closingSeconds;
