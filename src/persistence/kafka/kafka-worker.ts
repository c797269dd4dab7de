import { parentPort, workerData } from 'node:worker_threads';
import type { LogEntry } from 'kafkajs';
import { assert } from '../../actors/allocator/assert.ts';
import { NoticeLimiter } from '../../actors/runtime/notice-limiter.ts';
import type { ScheduleFault } from './chunk-encoder.ts';
import { describeKafkaError } from './kafka-error.ts';
import { KafkaSink } from './kafka-sink.ts';
import type { FromPublisher, KafkaWorkerData, ToPublisher } from './publisher-messages.ts';
import type { PublisherNotice } from './publisher-notice.ts';
import { type PublishingClock, PublishingLoop, type PublishingStep } from './publishing-loop.ts';
import { RelayedSource } from './relayed-source.ts';
import { repairRequestQueue } from './request-queue-repair.ts';

/**
 * The worker thread that publishes: JSON, kafkajs and its sockets stay off the thread that answers people. It ends
 * by itself when it was told to stop.
 */
assert(parentPort !== null, 'kafka-worker.ts runs in a worker thread');
const port = parentPort;
const { kafka } = workerData as KafkaWorkerData;

const post = (message: FromPublisher) => port.postMessage(message);
const clock: PublishingClock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  setTimer(delayMs, task) {
    const timer = setTimeout(task, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
};
const limiter = new NoticeLimiter(clock);
const tell = (notice: PublisherNotice) => {
  if (limiter.admits(JSON.stringify(notice))) post({ kind: 'notice', notice });
};

const faults: Record<PublishingStep, string> = {
  connect: 'Kafka cannot be reached or used',
  read: 'the events to publish cannot be read',
  send: 'Kafka did not take what was sent',
  mark: 'what was published cannot be marked, and will be published again',
};

/**
 * kafkajs warns of what KafkaSink wants, and of a broker that has just started and wants to be asked again, which
 * is done: where it does not end, the connection fails, and that is told.
 */
const isExpected = (line: string): boolean =>
  line.includes('Limiting retries for the idempotent producer') || line.includes('coordinator is loading');

function onLog({ log: { message, error, broker } }: LogEntry): void {
  if (isExpected(`${message} ${error}`)) return;
  const why = error === undefined ? '' : `: ${error}`;
  const where = broker === undefined ? '' : ` (${broker})`;
  tell({ kind: 'warning', message: `${message}${why}${where}` });
}

const source = new RelayedSource(post);
const loop = new PublishingLoop({
  source,
  openSink: () => KafkaSink.open(kafka, onLog),
  clock,
  observer: {
    onConnection(isConnected) {
      post({ kind: 'connection', isConnected });
      if (isConnected) tell({ kind: 'connected' });
    },
    onFailure(step, error) {
      post({ kind: 'failed' });
      tell({ kind: 'fault', fault: faults[step], message: describeKafkaError(error) });
    },
    onStoppedSchedule({ scheduleId, seq, reason }: ScheduleFault) {
      post({ kind: 'failed' });
      const fault = `schedule ${scheduleId} is published no further than seq ${seq - 1} for now`;
      tell({ kind: 'fault', fault, message: reason });
    },
    onAsleep: () => post({ kind: 'asleep' }),
  },
});

// What goes wrong inside kafkajs after it has answered. The loop waits for nothing without a limit.
process.on('unhandledRejection', (error) =>
  tell({ kind: 'fault', fault: 'kafkajs lost an error', message: describeKafkaError(error) }),
);
port.on('message', (message: ToPublisher) => {
  switch (message.kind) {
    case 'wake':
      loop.wake();
      break;
    case 'stop':
      loop.stop();
      break;
    default:
      source.settle(message);
  }
});
repairRequestQueue();
// Whatever kafkajs still has: timers, a connection that it is about to give up.
void loop.run().then(() => process.exit());
