import { lockDataDirectory } from '../../../src/persistence/sqlite/data-directory-lock.ts';

/** Takes the directory named on the command line and keeps it until it is killed. */
lockDataDirectory(process.argv[2]!);
console.log('locked');
setInterval(() => {}, 60_000);
