/**
 * The load generator, a process of its own: closed loop, one request in flight a connection, raw sockets so
 * that it costs as little of the shared cores as it can. Loopback only. Reads a LoadPlan from its
 * environment, prints a LoadResult as JSON. SIGTERM ends the measurement early.
 *
 * The same bytes go to whatever server is measured: token, idempotency key, JSON body.
 */
import { connect, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { LoadPlan, LoadResult } from './load-plan.ts';

const plan: LoadPlan = JSON.parse(process.env['LOAD_PLAN'] ?? '{}');
if (plan.host !== '127.0.0.1') throw new Error('load goes to loopback only');

const headEnd = Buffer.from('\r\n\r\n');
const latenciesMs: number[] = [];
const statuses = new Map<number, number>();
const skipped = plan.skippedRequests ?? 0;
let sent = skipped;
let isMeasuring = false;
let isOver = false;
let open = plan.connections;

/** What was held before the payments, and by whose token. */
const held: { readonly reservationId: string; readonly token: string }[] = [];

function nextRequest(): string {
  const n = sent++;
  const token = plan.tokens[n % plan.tokens.length] as string;
  switch (plan.kind) {
    case 'etag':
      return `GET ${plan.path} HTTP/1.1\r\nhost: usher\r\nif-none-match: ${plan.etag}\r\n\r\n`;
    case 'seats':
      return `GET ${plan.path} HTTP/1.1\r\nhost: usher\r\naccept: application/octet-stream\r\n\r\n`;
    case 'charge':
      return post(plan.path, token, `${plan.keyPrefix}-${n}`, '{"amount":1}');
    case 'pay': {
      const reservation = held[n];
      if (reservation === undefined) throw new Error('the plan has too few holds for its duration');
      const body = `{"reservationId":"${reservation.reservationId}","method":"points"}`;
      return post(plan.path, reservation.token, `${plan.keyPrefix}-pay-${n}`, body);
    }
    case 'reserve':
      return holdRequest(plan.path, token, n);
  }
}

function holdRequest(path: string, token: string, n: number): string {
  const [index, seat] =
    plan.isSpread === true
      ? spreadSeat(n)
      : [Math.floor(n / plan.seatsPerSchedule), n % plan.seatsPerSchedule];
  const schedule = plan.scheduleIds[index];
  if (schedule === undefined || seat >= plan.seatsPerSchedule) {
    throw new Error('the plan has too few schedules for its duration');
  }
  const row = Math.floor(seat / plan.seatsPerRow);
  const body = `{"scheduleId":${schedule},"seatIds":["R${row}-${seat % plan.seatsPerRow}"]}`;
  return post(path, token, `${plan.keyPrefix}-${n}`, body);
}

/** One seat of each schedule, then the next seat of each, every time beginning with another schedule. */
function spreadSeat(n: number): readonly [index: number, seat: number] {
  const schedules = plan.scheduleIds.length;
  const seat = Math.floor(n / schedules);
  return [(n + (Math.imul(seat, 0x9e3779b1) >>> 8)) % schedules, seat];
}

const post = (path: string, token: string, key: string, body: string): string =>
  `POST ${path} HTTP/1.1\r\nhost: usher\r\nauthorization: Bearer ${token}\r\n` +
  `idempotency-key: ${key}\r\ncontent-type: application/json\r\n` +
  `content-length: ${body.length}\r\n\r\n${body}`;

/** One connection: hands each answer to `onAnswer`, which sends the next request or ends. */
function openConnection(
  port: number,
  onConnect: (socket: Socket) => void,
  onAnswer: (status: number, answer: Buffer) => void,
): Socket {
  const socket: Socket = connect(port, plan.host);
  socket.setNoDelay(true);
  let pending: Buffer | undefined;
  socket.on('connect', () => onConnect(socket));
  socket.on('data', (chunk: Buffer) => {
    const data = pending === undefined ? chunk : Buffer.concat([pending, chunk]);
    const end = data.indexOf(headEnd);
    const status = Number(data.toString('latin1', 9, 12));
    const length = end === -1 ? -1 : status === 304 ? 0 : contentLength(data, end);
    if (end === -1 || data.length < end + 4 + length) {
      pending = data;
      return;
    }
    pending = undefined;
    onAnswer(status, data);
  });
  socket.on('error', (error) => {
    console.error(`load client: ${error.message}`);
    process.exit(1);
  });
  return socket;
}

/** Between two requests of a connection when the rate is given. */
const paceMs = plan.ratePerSecond === undefined ? 0 : (plan.connections / plan.ratePerSecond) * 1000;

function run(index: number): void {
  // When it should have been sent: a server that is late does not make the next request late (open loop).
  let dueMs = performance.now() + (paceMs * index) / plan.connections;
  let startedMs = 0;
  const send = () => {
    if (isOver) return void socket.end();
    startedMs = paceMs === 0 ? performance.now() : dueMs;
    socket.write(nextRequest(), 'latin1');
  };
  const sendWhenDue = () => {
    const waitMs = dueMs - performance.now();
    if (waitMs < 1) send();
    else setTimeout(send, waitMs);
  };
  const { ports = [plan.port] } = plan;
  const socket = openConnection(
    ports[index % ports.length] as number,
    () => (paceMs === 0 ? send() : sendWhenDue()),
    (status) => {
      if (isMeasuring) {
        latenciesMs.push(performance.now() - startedMs);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }
      dueMs += paceMs;
      if (isOver) socket.end();
      else if (paceMs === 0) send();
      else sendWhenDue();
    },
  );
  socket.on('close', () => {
    open -= 1;
    if (open === 0) report();
  });
}

/** Makes the reservations that are paid for afterwards. */
function hold(count: number, path: string): Promise<void> {
  let asked = 0;
  const holdOn = () =>
    new Promise<void>((resolve) => {
      let token = '';
      const next = () => {
        if (asked === count) return void socket.end();
        const n = asked++;
        token = plan.tokens[n % plan.tokens.length] as string;
        socket.write(holdRequest(path, token, n), 'latin1');
      };
      const socket = openConnection(plan.port, next, (status, answer) => {
        const reservationId = /"reservationId":"([^"]+)"/.exec(answer.toString('latin1'))?.[1];
        if (status !== 201 || reservationId === undefined) throw new Error(`a hold was answered ${status}`);
        held.push({ reservationId, token });
        next();
      });
      socket.on('close', () => resolve());
    });
  return Promise.all(Array.from({ length: 64 }, holdOn)).then(() => undefined);
}

/** Both servers write the header lower- or title-case; the value ends with the line. */
function contentLength(data: Buffer, end: number): number {
  const head = data.toString('latin1', 0, end);
  const match = /content-length: ?(\d+)/i.exec(head);
  if (match === null) throw new Error(`no content-length in ${head}`);
  return Number(match[1]);
}

let measuredMs = 0;
let cpuUsedMs = 0;

function report(): void {
  latenciesMs.sort((a, b) => a - b);
  const quantile = (q: number) =>
    latenciesMs[Math.min(latenciesMs.length - 1, Math.floor(latenciesMs.length * q))] ?? 0;
  const result: LoadResult = {
    perSecond: (latenciesMs.length / measuredMs) * 1000,
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
    clientCpuShare: cpuUsedMs / measuredMs,
    maxMs: latenciesMs.at(-1) ?? 0,
    requestsSent: sent - skipped,
    statuses: Object.fromEntries(statuses),
  };
  console.log(JSON.stringify(result));
}

if (plan.kind === 'pay') await hold(plan.holds ?? 0, plan.holdPath ?? '');
for (let i = 0; i < plan.connections; i++) run(i);
setTimeout(() => {
  isMeasuring = true;
  const startedMs = performance.now();
  const cpu = process.cpuUsage();
  const end = () => {
    if (isOver) return;
    isMeasuring = false;
    isOver = true;
    measuredMs = performance.now() - startedMs;
    const used = process.cpuUsage(cpu);
    cpuUsedMs = (used.user + used.system) / 1000;
  };
  setTimeout(end, plan.measureMs).unref();
  process.once('SIGTERM', end);
}, plan.warmUpMs);
