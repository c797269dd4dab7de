import type { MessagePort } from 'node:worker_threads';
import { CommitOutcomeUnknown } from '../../actors/runtime/ports.ts';
import { type StoredScheduleColumns, transferableBuffers } from '../image-columns.ts';
import type {
  CallMessage,
  Procedures,
  StoreNotice,
  StoreProcedures,
  WorkerMessage,
} from './store-procedures.ts';

/**
 * The worker's end of a WorkerLink. Calls begin in the order of their arrival; one that returns a promise lets
 * the next one begin. After `close` the port is closed, and the thread ends by itself.
 */
export function answerCalls(port: MessagePort, procedures: StoreProcedures | Procedures): void {
  const post = (message: WorkerMessage, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer);
  const answer = async ({ callId, procedure, parameters }: CallMessage): Promise<void> => {
    try {
      const call = (procedures as Procedures)[procedure] as (...parameters: readonly unknown[]) => unknown;
      const returned = call(...parameters);
      const value = returned instanceof Promise ? await returned : returned;
      const transfer =
        procedure === 'loadSchedule' ? transferableBuffers((value as StoredScheduleColumns).image) : [];
      post({ kind: 'result', callId, value }, transfer);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      post({ kind: 'failure', callId, message, outcomeUnknown: error instanceof CommitOutcomeUnknown });
    }
    if (procedure === 'close') port.close();
  };
  port.on('message', (message: CallMessage) => void answer(message));
}

/** Tells the main thread something that it did not ask for. */
export function postNotice(port: MessagePort, notice: StoreNotice): void {
  port.postMessage({ kind: 'notice', notice } satisfies WorkerMessage);
}
