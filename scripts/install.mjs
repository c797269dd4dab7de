// Installs what is missing, so that `npm start` and `npm test` work on a bare clone.
// Plain JavaScript for the system's Node (20 or later): it runs before the project's own Node is there.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const stampFile = `${root}node_modules/.installed-from`;
const lockHash = createHash('sha256')
  .update(readFileSync(`${root}package-lock.json`))
  .digest('hex');

/** By this script, or by somebody's own `npm ci` since the lock file was written. */
function isInstalled() {
  if (!existsSync(`${root}node_modules/node/bin/node`)) return false;
  if (existsSync(stampFile)) return readFileSync(stampFile, 'utf8') === lockHash;
  const npmRecord = `${root}node_modules/.package-lock.json`;
  return existsSync(npmRecord) && statSync(npmRecord).mtimeMs > statSync(`${root}package-lock.json`).mtimeMs;
}

if (!isInstalled()) {
  console.error('usher: installing dependencies (once, about 20 s) …');
  const result = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (result.status !== 0) {
    console.error('usher: `npm ci` failed; see the lines above');
    process.exit(1);
  }
  if (!existsSync(`${root}node_modules/node/bin/node`)) {
    console.error(
      'usher: npm did not run the install script of the package "node"; allow it (allowScripts) and run again',
    );
    process.exit(1);
  }
  writeFileSync(stampFile, lockHash);
}
