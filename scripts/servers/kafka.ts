import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cachedFolder } from './cached-folder.ts';
import { onFreePorts } from './free-port.ts';
import { installedProgram, type Program } from './installed.ts';
import { announced, runCommand } from './run-command.ts';
import { ServerFolder } from './server-folder.ts';
import { type ServerControl, ServerProcess } from './server-process.ts';

/** A Kafka of our own on free loopback ports: one broker, which is its own controller. */
export interface Kafka extends ServerControl {
  /** `host:port`, as clients are told. */
  readonly brokers: string;
}

const version = '4.1.0';
const otherwise = 'name a running broker by TEST_KAFKA_BROKERS';
const java: Program = { command: 'java', aptPackages: ['default-jre-headless'], aboutS: 30, otherwise };
const maven: Program = { command: 'mvn', aptPackages: ['maven'], aboutS: 60, otherwise };
const javaMajorMin = 17;
const copyGoal = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';

/** Any: what names a cluster of one. */
const clusterId = 'dXNoZXItdGVzdC1rYWZrYQ';

export async function startKafka(): Promise<Kafka> {
  const javaPath = newEnoughJava();
  const classPath = join(kafkaJars(), '*');
  const folder = new ServerFolder('kafka');
  const settings = join(folder.path, 'server.properties');
  try {
    const { server, brokers } = await onFreePorts(2, async ([port = 0, controllerPort = 0]) => {
      writeFileSync(settings, properties(folder.path, port, controllerPort));
      const format = [
        'kafka.tools.StorageTool',
        'format',
        '--ignore-formatted',
        '-t',
        clusterId,
        '-c',
        settings,
      ];
      runCommand(javaPath, [...quickStart, '-cp', classPath, ...format]);
      return {
        brokers: `127.0.0.1:${port}`,
        server: await ServerProcess.start('Kafka', folder, {
          path: javaPath,
          args: ['-Xmx512m', ...quickStart, ...logging, '-cp', classPath, 'kafka.Kafka', settings],
          readyPattern: /Kafka Server started/,
        }),
      };
    });
    return Object.assign(server, { brokers });
  } catch (error) {
    await folder.remove();
    throw error;
  }
}

/** One broker beside a test wants few threads, and its code compiled once. */
const quickStart = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto'];

/** Enough to say when it is ready, and why it is not. */
const logging = [
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
  '-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info',
];

function properties(folder: string, port: number, controllerPort: number): string {
  const settings = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names': 'CONTROLLER',
    'log.dirs': join(folder, 'data'),
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 1,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 1,
    // A broker that was killed is taken back once its session has ended, not sooner.
    'broker.session.timeout.ms': 2_000,
    'broker.heartbeat.interval.ms': 500,
    'group.initial.rebalance.delay.ms': 0,
    'auto.create.topics.enable': false,
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

/** The folder of its jars, fetched from Maven's repository once. */
function kafkaJars(): string {
  return cachedFolder(`kafka-${version}`, (folder) => {
    const mvn = installedProgram(maven);
    announced(`fetching Kafka ${version} into .cache/ with Maven`, 'once, 43 MB, about 20 s', () => {
      writeFileSync(join(folder, 'pom.xml'), project);
      const copy = [copyGoal, `-DoutputDirectory=${folder}`, '-DincludeScope=runtime'];
      runCommand(mvn, ['-q', '-B', ...copy], { folder });
    });
  });
}

/** Kafka logs by slf4j, and to nowhere unless something is there that writes it. */
const dependencies = [
  { group: 'org.apache.kafka', artifact: 'kafka_2.13', version },
  { group: 'org.slf4j', artifact: 'slf4j-simple', version: '1.7.36' },
].map(
  ({ group, artifact, version }) =>
    `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`,
);

const project = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>usher</groupId>
  <artifactId>kafka-jars</artifactId>
  <version>1</version>
  <dependencies>${dependencies.join('')}</dependencies>
</project>
`;

function newEnoughJava(): string {
  const path = installedProgram(java);
  const { stderr } = spawnSync(path, ['-version'], { encoding: 'utf8' });
  // `"17.0.15"`, and before Java 9 `"1.8.0_402"`.
  const [, major] = /version "([0-9]+)/.exec(stderr ?? '') ?? [];
  if (Number(major) >= javaMajorMin) return path;
  throw new Error(`Kafka ${version} needs Java ${javaMajorMin} or later: install it, or ${otherwise}`);
}
