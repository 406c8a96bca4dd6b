'use strict';

// What the subcommands share: the command's statuses, and functions that turn what stands behind
// an option into what the libraries take. A text that means nothing gives undefined.

const PORT = /^\d{1,5}$/;
const HOST_AND_PORT = /^(?:\[([^\]]+)\]|([^/:]+)):(\d{1,5})$/;

/** @returns {number | undefined} */
const toNumber = (text) => (/^\d{1,10}$/.test(text) ? Number(text) : undefined);

/** @returns {{ port: number, host?: string } | { path: string } | undefined} what a path, port or host:port means */
function toAddress(text) {
  if (text === '') return undefined;
  if (PORT.test(text)) return { port: Number(text) };
  const [, bracketed, host, port] = HOST_AND_PORT.exec(text) ?? [];
  if (port !== undefined) return { host: bracketed ?? host, port: Number(port) };
  // systemd and ss(8) write abstract names so.
  return { path: text.startsWith('@') ? `\0${text.slice(1)}` : text };
}

/** @returns {string} an address of a server, as toAddress() reads it */
function addressText(address) {
  if (typeof address === 'string') return address.startsWith('\0') ? `@${address.slice(1)}` : address;
  const { address: host, port } = address;
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The statuses of the command when it has failed, and when its arguments make no sense. */
const FAILED = 1;
const WRONG_USAGE = 2;

module.exports = { FAILED, WRONG_USAGE, addressText, toAddress, toNumber };
