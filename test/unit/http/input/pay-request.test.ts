import { describe, expect, test } from 'vitest';
import { payRequest } from '../../../../src/http/input/request-schemas.ts';
import { readUsualPayment } from '../../../../src/http/input/usual-payment.ts';
import { validate } from '../../../../src/http/input/validation.ts';

const ref = { scheduleId: 12, number: 3 };

describe('a payment that is taken', () => {
  test.each<[input: object, value: object]>([
    [
      { reservationId: '12-3', method: 'points' },
      { reservationId: ref, method: 'points' },
    ],
    [
      { method: 'card', cardToken: '!', reservationId: '12-3' },
      { reservationId: ref, method: 'card', cardToken: '!' },
    ],
    [
      { reservationId: '12-3', method: 'card', cardToken: '~'.repeat(255) },
      { reservationId: ref, method: 'card', cardToken: '~'.repeat(255) },
    ],
  ])('%j', (input, value) => {
    expect(validate(payRequest, input)).toEqual({ ok: true, value });
  });
});

describe('a payment that is refused, with every fault', () => {
  const isId = 'must be a reservation id, as in 12-3';
  const isMethod = 'must be one of points, card';
  const isToken = 'must have 1 to 255 visible ASCII characters';
  const card = { reservationId: '12-3', method: 'card' };

  test.each<[name: string, input: unknown, errors: readonly (readonly [path: string, message: string])[]]>([
    ['no object', null, [['', 'must be an object']]],
    ['a list', ['12-3', 'points'], [['', 'must be an object']]],
    [
      'nothing in it',
      {},
      [
        ['reservationId', 'is missing'],
        ['method', 'is missing'],
      ],
    ],
    ['a number for an id', { reservationId: 12, method: 'points' }, [['reservationId', 'must be text']]],
    ['a zero in the id', { reservationId: '12-0', method: 'points' }, [['reservationId', isId]]],
    ['a space in the id', { reservationId: '12-3 ', method: 'points' }, [['reservationId', isId]]],
    [
      'no such method, and more',
      { reservationId: 'x', method: 'Points', cardToken: '', amount: 1 },
      [
        ['reservationId', isId],
        ['method', isMethod],
        ['cardToken', isToken],
        ['amount', 'is not a known field'],
      ],
    ],
    ['a card without a token', card, [['cardToken', 'is missing']]],
    ['a token that is nothing', { ...card, cardToken: null }, [['cardToken', 'must be text']]],
    ['an empty token', { ...card, cardToken: '' }, [['cardToken', isToken]]],
    ['a token that is too long', { ...card, cardToken: 'x'.repeat(256) }, [['cardToken', isToken]]],
    ['a token with a space', { ...card, cardToken: 'a b' }, [['cardToken', isToken]]],
    ['a token with a line end', { ...card, cardToken: 'a\n' }, [['cardToken', isToken]]],
    ['a token beyond ASCII', { ...card, cardToken: 'ä' }, [['cardToken', isToken]]],
    [
      'points with a token',
      { reservationId: '12-3', method: 'points', cardToken: 'tok' },
      [['cardToken', 'is for cards only']],
    ],
  ])('%s', (_name, input, errors) => {
    expect(validate(payRequest, input)).toMatchObject({
      ok: false,
      problem: { members: { errors: errors.map(([path, message]) => ({ path, message })) } },
    });
  });
});

describe('the reader of usual payments', () => {
  const ids = [
    ...['12-3', '1-1', '9007199254740991-9007199254740991', '9007199254740992-1', '1-9007199254740992'],
    ...['0-1', '1-0', '01-1', '1', '', '-', '1-1-1', ' 1-1', '1-1\n', '١-١', 1, null, undefined, {}],
  ];
  const methods = ['points', 'card', 'Points', '', null, undefined, 1];
  const extras = [{}, { cardToken: 'tok' }, { cardToken: undefined }, { amount: 1 }];
  const bodies = ids.flatMap((reservationId) =>
    methods.flatMap((method) =>
      extras.flatMap((extra) => [
        { reservationId, method, ...extra },
        { method, reservationId, ...extra },
      ]),
    ),
  );
  const others = [
    null,
    'points',
    1,
    [],
    ['12-3', 'points'],
    {},
    { method: 'points' },
    { reservationId: '1-1' },
  ];

  test('lets through only what the schema lets through, and makes the same of it', () => {
    let usual = 0;
    for (const body of [...bodies, ...others]) {
      const read = readUsualPayment(body);
      if (read === undefined) continue;
      usual += 1;
      expect(validate(payRequest, body), JSON.stringify(body)).toEqual({ ok: true, value: read });
    }
    expect(usual).toBe(6);
  });

  test('takes what nearly every payment by points is', () => {
    expect(readUsualPayment({ reservationId: '12-3', method: 'points' })).toEqual({
      reservationId: ref,
      method: 'points',
    });
  });
});
