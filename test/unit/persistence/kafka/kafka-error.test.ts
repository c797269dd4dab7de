import { describe, expect, it } from 'vitest';
import { brokerErrorType, describeKafkaError } from '../../../../src/persistence/kafka/kafka-error.ts';
import { TopicUnusable } from '../../../../src/persistence/kafka/topic-creation.ts';

/** As kafkajs names its errors. */
const kafkaError = (message: string, more: object = {}) =>
  Object.assign(new Error(message), { name: 'KafkaJSError' }, more);

const brokerError = kafkaError('too large', { type: 'MESSAGE_TOO_LARGE' });
const wrapped = kafkaError('retries exceeded', { cause: kafkaError('again', { cause: brokerError }) });
const aggregate = kafkaError('several', { errors: [brokerError] });
const circular = kafkaError('round');
circular.cause = circular;

describe('what a broker said', () => {
  it.each([
    ['by itself', brokerError, 'MESSAGE_TOO_LARGE', 'too large (MESSAGE_TOO_LARGE)'],
    ['wrapped', wrapped, 'MESSAGE_TOO_LARGE', 'too large (MESSAGE_TOO_LARGE)'],
    ['among others', aggregate, 'MESSAGE_TOO_LARGE', 'too large (MESSAGE_TOO_LARGE)'],
    ['nothing', kafkaError('connect ECONNREFUSED'), undefined, 'connect ECONNREFUSED'],
    ['in the message already', kafkaError('A_WORD: no', { type: 'A_WORD' }), 'A_WORD', 'A_WORD: no'],
    ['round and round', circular, undefined, 'round'],
    ['in words of our own', new TopicUnusable('create it', { cause: brokerError }), undefined, 'create it'],
    ['no error at all', 'oh', undefined, 'oh'],
  ])('%s', (_name, error, type, text) => {
    expect([brokerErrorType(error), describeKafkaError(error)]).toEqual([type, text]);
  });
});
