/** Connects as a server does and says so. Arguments: target, configuration file, transport, passphrase. */
import { connect } from '../../../server/ssh/connection.ts';
import { nobody } from '../../../server/ssh/prompter.ts';
import type { Transport } from '../../../server/ssh/transport.ts';

const [target = '', configFile = '', transport, passphrase = null] = process.argv.slice(2);

connect(target, {
  configFile,
  transport: transport as Transport,
  env: process.env,
  prompter: { ...nobody, passphrase: async () => passphrase },
  log: () => {},
}).then(
  async (connection) => {
    process.stdout.write(`connected by ${connection.transport}\n`);
    process.stdout.write(`${await connection.ended}\n`);
  },
  (error: Error) => process.stdout.write(`${error.message}\n`),
);
