/**
 * Opens an encrypted private key. It runs as a worker, because the key derivation takes a third of a second
 * in which nothing else would run. It is JavaScript so that it starts the same from sources and from a bundle.
 */
const { createPrivateKey } = require('node:crypto');
const { parentPort, workerData } = require('node:worker_threads');
const { utils } = require('ssh2');

const key = utils.parseKey(workerData.contents, workerData.passphrase);
const answer =
  key instanceof Error ? null : { secret: createPrivateKey(key.getPrivatePEM()), blob: key.getPublicSSH() };
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- This is no window.
parentPort.postMessage(answer);
