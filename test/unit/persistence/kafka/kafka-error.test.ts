import { describe, expect, it } from 'vitest';
import { brokerErrorType, describeKafkaError } from '../../../../src/persistence/kafka/kafka-error.ts';

const brokerError = Object.assign(new Error('too large'), { type: 'MESSAGE_TOO_LARGE' });
const wrapped = new Error('retries exceeded', { cause: new Error('again', { cause: brokerError }) });
const aggregate = Object.assign(new Error('several'), { errors: [brokerError] });
const circular = new Error('round');
circular.cause = circular;

describe('what a broker said', () => {
  it.each([
    ['by itself', brokerError, 'MESSAGE_TOO_LARGE', 'too large (MESSAGE_TOO_LARGE)'],
    ['wrapped', wrapped, 'MESSAGE_TOO_LARGE', 'too large (MESSAGE_TOO_LARGE)'],
    ['among others', aggregate, 'MESSAGE_TOO_LARGE', 'too large (MESSAGE_TOO_LARGE)'],
    ['nothing', new Error('connect ECONNREFUSED'), undefined, 'connect ECONNREFUSED'],
    [
      'in the message already',
      Object.assign(new Error('A_WORD: no'), { type: 'A_WORD' }),
      'A_WORD',
      'A_WORD: no',
    ],
    ['round and round', circular, undefined, 'round'],
    ['no error at all', 'oh', undefined, 'oh'],
  ])('%s', (_name, error, type, text) => {
    expect([brokerErrorType(error), describeKafkaError(error)]).toEqual([type, text]);
  });
});
