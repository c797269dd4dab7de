import { expect, test } from 'vitest';
import { call } from './client.ts';
import { authorized, openPublicPort, openAdminPort, operator } from './open-port.ts';
import { reservationView } from './theatre.ts';

test('smoke', async () => {
  await using open = await openPublicPort();
  const headers = await authorized(open.port);
  open.service.answer({ kind: 'reservation', view: reservationView(), replayed: false });
  for (const [path, options] of [
    ['/reservations', { method: 'POST', headers, body: { scheduleId: 1, seatIds: ['A-1'] } }],
    ['/reservations?x=1', { method: 'POST', headers, body: { scheduleId: 1, seatIds: ['A-1'] } }],
    ['/reservations', { method: 'POST', headers, body: { scheduleId: 1.5, seatIds: ['A-1', 3], bestAvailable: {quantity: 11, foo: 1} , bar: 1} }],
    ['/reservations/available/seat?scheduleId=1', {}],
    ['/reservations/available/seat', {}],
    ['/reservations/available/dates?performanceId=1', {}],
    ['/venues/1/layout', {}],
    ['/performances', {}],
    ['/healthz', {}],
    ['/readyz', {}],
    ['/nope', {}],
    ['/healthz', { method: 'POST' }],
    ['/docs', {}],
    ['/openapi.json', {}],
    ['/reservations', { headers }],
    ['/reservations/1-2', { headers }],
    ['/reserv%61tions', { method: 'POST', headers, body: { scheduleId: 1, seatIds: ['A-1'] } }],
  ] as const) {
    const answered = await call(open.port, path, options as never);
    console.log(path, answered.status, JSON.stringify(answered.headers), answered.text.slice(0, 600));
  }
  console.log(open.log);
  console.log((await open.metrics.text()).slice(0, 1500));
  await using admin = await openAdminPort();
  for (const path of ['/metrics', '/admin/schedules', '/admin/schedules/1']) {
    const a = await call(admin.port, path, { headers: operator });
    console.log(path, a.status, a.text.slice(0, 300));
  }
  expect(1).toBe(1);
});
