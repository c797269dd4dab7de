import type { KafkaOptions } from './kafka-options.ts';
import type { PublisherNotice } from './publisher-notice.ts';
import type { PublishingSource } from './publishing-source.ts';

/** What the worker is started with. */
export interface KafkaWorkerData {
  readonly kafka: KafkaOptions;
}

export type SourceProcedure = keyof PublishingSource;

/** Worker → main thread. */
export type FromPublisher =
  | {
      readonly kind: 'call';
      readonly callId: number;
      readonly procedure: SourceProcedure;
      readonly parameters: readonly unknown[];
    }
  /** It reads no more until it is woken (or a few seconds have passed). */
  | { readonly kind: 'asleep' }
  | { readonly kind: 'connection'; readonly isConnected: boolean }
  | { readonly kind: 'failed' }
  | { readonly kind: 'notice'; readonly notice: PublisherNotice };

/** Main thread → worker. */
export type ToPublisher =
  | { readonly kind: 'result'; readonly callId: number; readonly value: unknown }
  | { readonly kind: 'failure'; readonly callId: number; readonly message: string }
  | { readonly kind: 'wake' }
  | { readonly kind: 'stop' };
