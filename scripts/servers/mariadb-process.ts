import { join } from 'node:path';
import type { Connection, ConnectionOptions } from 'mysql2/promise';
import { onFreePorts } from './free-port.ts';
import { installedProgram, type Program } from './installed.ts';
import { connected } from './mysql-databases.ts';
import { runCommand } from './run-command.ts';
import { selfSignedCertificate } from './self-signed-certificate.ts';
import { ServerFolder } from './server-folder.ts';
import { ServerProcess } from './server-process.ts';

export type ServerVariables = Readonly<Record<string, string | number>>;

/** A server that has just been set up. */
export interface MariaDbProcess {
  readonly server: ServerProcess;
  readonly port: number;
  readonly caFile: string | undefined;
  /** How root connects, whatever the server asks of connections from outside. */
  readonly root: ConnectionOptions;
}

interface SetUp {
  readonly rootPassword: string;
  readonly variables: ServerVariables;
  readonly tls: boolean;
  /** What root does before anybody else can connect. */
  readonly prepare: (root: Connection) => Promise<unknown>;
}

const mariadbd: Program = {
  command: 'mariadbd',
  // The server alone: Debian's mariadb-server would also run one as a service. Its set-up wants a tool of the client's.
  aptPackages: ['mariadb-server-core', 'mariadb-client-core'],
  aboutS: 20,
  otherwise: 'name a running server by TEST_MYSQL_URL',
};

/** In a folder of its own, on a port of its own. */
export async function startMariaDbProcess(setUp: SetUp): Promise<MariaDbProcess> {
  const path = installedProgram(mariadbd);
  const folder = new ServerFolder('mariadb');
  try {
    installSystemTables(join(folder.path, 'data'));
    const certificate = setUp.tls ? selfSignedCertificate(folder.path) : undefined;
    const tls = certificate && {
      ssl_ca: certificate.caFile,
      ssl_cert: certificate.certificateFile,
      ssl_key: certificate.keyFile,
    };
    const { server, port } = await onFreePorts(1, async ([port = 0]) => ({
      port,
      server: await ServerProcess.start('MariaDB', folder, {
        path,
        args: serverArguments(folder.path, { port, ...tls, ...setUp.variables }),
        readyPattern: /ready for connections/,
      }),
    }));
    try {
      const root = { socketPath: socketIn(folder.path), user: 'root' };
      await connected(root, async (connection) => {
        await setUp.prepare(connection);
        await setRootPassword(connection, setUp.rootPassword);
      });
      const caFile = certificate?.caFile;
      return { server, port, caFile, root: { ...root, password: setUp.rootPassword } };
    } catch (error) {
      await server.kill9();
      throw error;
    }
  } catch (error) {
    await folder.remove();
    throw error;
  }
}

/** Short: a socket's path has 107 characters at most. */
const socketIn = (folder: string) => join(folder, 's');

/** mariadbd refuses to run as root unless it is told to. */
const asRoot = () => (process.getuid?.() === 0 ? ['--user=root'] : []);

function installSystemTables(dataFolder: string): void {
  runCommand(installedProgram({ ...mariadbd, command: 'mariadb-install-db' }), [
    '--no-defaults',
    `--datadir=${dataFolder}`,
    '--auth-root-authentication-method=normal',
    '--skip-test-db',
    ...asRoot(),
  ]);
}

function serverArguments(folder: string, variables: ServerVariables): readonly string[] {
  const all: ServerVariables = {
    datadir: join(folder, 'data'),
    socket: socketIn(folder),
    pid_file: join(folder, 'pid'),
    tmpdir: folder,
    bind_address: '127.0.0.1',
    skip_name_resolve: 1,
    local_infile: 0,
    character_set_server: 'utf8mb4',
    collation_server: 'utf8mb4_general_ci',
    innodb_buffer_pool_size: '256M',
    innodb_flush_log_at_trx_commit: 1,
    // Debian's default is 0: after a crash of the machine, the binary log would lack what InnoDB has.
    sync_binlog: 1,
    log_bin: 'binlog',
    binlog_format: 'ROW',
    gtid_strict_mode: 1,
    ...variables,
  };
  const settings = Object.entries(all).map(([name, value]) => `--${name.replaceAll('_', '-')}=${value}`);
  return ['--no-defaults', ...asRoot(), ...settings];
}

/** Every server has its own: it stays out of the binary log. */
async function setRootPassword(root: Connection, password: string): Promise<void> {
  await root.query('SET SESSION sql_log_bin = 0');
  for (const host of ['localhost', '127.0.0.1']) {
    await root.query(`GRANT ALL ON *.* TO root@'${host}' IDENTIFIED BY '${password}' WITH GRANT OPTION`);
  }
}
