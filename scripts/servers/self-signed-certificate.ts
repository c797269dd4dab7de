import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { installedProgram } from './installed.ts';
import { runCommand } from './run-command.ts';

export interface Certificate {
  /** Of the authority that signed it, which clients are to trust. */
  readonly caFile: string;
  readonly certificateFile: string;
  readonly keyFile: string;
}

const daysValid = '2';
const newKey = ['-newkey', 'rsa:2048', '-nodes'];

/** A certificate for 127.0.0.1 and localhost, from an authority of its own; the files lie in the folder. */
export function selfSignedCertificate(folder: string): Certificate {
  const openssl = installedProgram({
    command: 'openssl',
    aptPackages: ['openssl'],
    aboutS: 10,
    otherwise: 'start the server without TLS',
  });
  const file = (name: string) => join(folder, name);
  const certificate = {
    caFile: file('ca.pem'),
    certificateFile: file('server.pem'),
    keyFile: file('server-key.pem'),
  };
  const authority = ['-keyout', file('ca-key.pem'), '-out', certificate.caFile, '-subj', '/CN=Usher test CA'];
  const request = ['-keyout', certificate.keyFile, '-out', file('server.csr'), '-subj', '/CN=localhost'];
  const signing = ['-CA', certificate.caFile, '-CAkey', file('ca-key.pem'), '-CAcreateserial'];
  writeFileSync(file('server.ext'), 'subjectAltName=IP:127.0.0.1,DNS:localhost\n');
  runCommand(openssl, ['req', '-x509', ...newKey, '-days', daysValid, ...authority]);
  runCommand(openssl, ['req', ...newKey, ...request]);
  runCommand(openssl, [
    ...['x509', '-req', '-days', daysValid, '-in', file('server.csr'), '-extfile', file('server.ext')],
    ...[...signing, '-out', certificate.certificateFile],
  ]);
  return certificate;
}
