/** How Kafka is reached, and what is asked of it. */
export interface KafkaOptions {
  /** `host:port` each, at least one; of a cluster, some that are likely to be up. No IPv6 literals: kafkajs. */
  readonly brokers: readonly string[];
  /** What the brokers' logs and quotas call us. */
  readonly clientId: string;
  /** True: TLS with the system's authorities. Absent or false: none. */
  readonly tls?: boolean | TlsFiles;
  readonly sasl?: SaslOptions;
  /** Of a topic that is missing and is created. Topics that are there keep theirs. */
  readonly partitions: number;
}

/** PEM files, read at each connection: a renewed certificate is used from then on. */
export interface TlsFiles {
  /** Authorities to trust in place of the system's. */
  readonly caFile?: string;
  /** With keyFile: who we are. */
  readonly certFile?: string;
  readonly keyFile?: string;
}

interface SaslOptions {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
  readonly username: string;
  readonly password: string;
}
