/**
 * The ruler: a bare node:http server that parses the same JSON and answers one of the same size. A GET is
 * answered with 304 and an ETag. Prints its port.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const answer = JSON.stringify({ answer: 'x'.repeat(Number(process.env['ANSWER_BYTES'] ?? 330) - 13) });
const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(answer) };

const server = createServer((request, response) => {
  if (request.method === 'GET') {
    response.writeHead(304, { etag: '"0"' });
    response.end();
    return;
  }
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    JSON.parse(Buffer.concat(chunks).toString());
    response.writeHead(201, headers);
    response.end(answer);
  });
});
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));
