import { bookSessionSetup, MySqlBook } from '../../../src/ledger/mysql/mysql-book.ts';
import { openNamedSession } from '../../../src/mysql/named-session.ts';
import { pointsCharge } from '../ledger-orders.ts';
import { mysqlAt } from '../mysql-connection.ts';

/**
 * Stops itself in the middle of a batch: it charges a user 1,000, holds the account, and has not written yet.
 * `for-ever`: as if the server did not end such a transaction by itself.
 */
const [url = '', holder = '', payer = '', howLong] = process.argv.slice(2);
const session = await openNamedSession(
  { ...mysqlAt(url), multipleStatements: true, observer: { onSlowStatement: () => {} } },
  holder,
  'ledger-0',
);
await session.change(bookSessionSetup);
const raw = session.raw.bind(session);
session.raw = async (name, sql) => {
  const isWrite = sql.includes('COMMIT');
  if (isWrite && howLong === 'for-ever') await session.change('SET SESSION wait_timeout = 600');
  if (isWrite) {
    console.log('holds the account');
    process.kill(process.pid, 'SIGSTOP');
  }
  return raw(name, sql);
};
try {
  await new MySqlBook(session).apply([{ kind: 'charge', charge: pointsCharge(payer, 1000, 'frozen', 1000) }]);
  console.log('has written');
} catch {
  console.log('has failed');
}
setInterval(() => {}, 60_000);
