/**
 * The load generator, a process of its own: closed loop, one request in flight a connection, raw sockets so
 * that it costs as little of the shared cores as it can. Loopback only. Reads a LoadPlan from its
 * environment, prints a LoadResult as JSON.
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
let sent = 0;
let isMeasuring = false;
let isOver = false;
let open = plan.connections;

function nextRequest(): string {
  const n = sent++;
  const token = plan.tokens[n % plan.tokens.length] as string;
  if (plan.kind === 'etag') {
    return `GET ${plan.path} HTTP/1.1\r\nhost: usher\r\nif-none-match: ${plan.etag}\r\n\r\n`;
  }
  const schedule = plan.scheduleIds[Math.floor(n / plan.seatsPerSchedule)];
  if (schedule === undefined) throw new Error('the plan has too few schedules for its duration');
  const seat = n % plan.seatsPerSchedule;
  const body = `{"scheduleId":${schedule},"seatIds":["R${Math.floor(seat / plan.seatsPerRow)}-${seat % plan.seatsPerRow}"]}`;
  return (
    `POST ${plan.path} HTTP/1.1\r\nhost: usher\r\nauthorization: Bearer ${token}\r\n` +
    `idempotency-key: ${plan.keyPrefix}-${n}\r\ncontent-type: application/json\r\n` +
    `content-length: ${body.length}\r\n\r\n${body}`
  );
}

function run(): void {
  const socket: Socket = connect(plan.port, plan.host);
  socket.setNoDelay(true);
  let startedMs = 0;
  let pending: Buffer | undefined;
  const send = () => {
    startedMs = performance.now();
    socket.write(nextRequest(), 'latin1');
  };
  socket.on('connect', send);
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
    if (isMeasuring) {
      latenciesMs.push(performance.now() - startedMs);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
    if (isOver) socket.end();
    else send();
  });
  socket.on('error', (error) => {
    console.error(`load client: ${error.message}`);
    process.exit(1);
  });
  socket.on('close', () => {
    open -= 1;
    if (open === 0) report();
  });
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
    requestsSent: sent,
    statuses: Object.fromEntries(statuses),
  };
  console.log(JSON.stringify(result));
}

for (let i = 0; i < plan.connections; i++) run();
setTimeout(() => {
  isMeasuring = true;
  const startedMs = performance.now();
  const cpu = process.cpuUsage();
  setTimeout(() => {
    isMeasuring = false;
    isOver = true;
    measuredMs = performance.now() - startedMs;
    const used = process.cpuUsage(cpu);
    cpuUsedMs = (used.user + used.system) / 1000;
  }, plan.measureMs);
}, plan.warmUpMs);
