'use strict';

// A key and a self-signed certificate for localhost, made anew for each test file.

const { execFileSync } = require('node:child_process');

const both = execFileSync(
  'openssl',
  [
    ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost'],
    ...['-addext', 'subjectAltName=DNS:localhost', '-keyout', '-', '-out', '-'],
  ],
  { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
);
const [privateKey] = /-----BEGIN PRIVATE KEY-----[^]*-----END PRIVATE KEY-----\n/.exec(both);
const [certificate] = /-----BEGIN CERTIFICATE-----[^]*-----END CERTIFICATE-----\n/.exec(both);

module.exports = { certificate, privateKey };
