'use strict';

// A key and a self-signed certificate for localhost, made anew for each test file. Node
// makes keys but no certificates, so the few fields of X.509 are written here, in DER.

const crypto = require('node:crypto');

const DAY_MS = 86_400_000;

const SEQUENCE = 0x30;
const SET = 0x31;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const OBJECT_IDENTIFIER = 0x06;
const UTF8_STRING = 0x0c;
const UTC_TIME = 0x17;
const TRUE = Buffer.from([0x01, 0x01, 0xff]);

const ECDSA_WITH_SHA256 = der(SEQUENCE, identifier('2a8648ce3d040302'));
const COMMON_NAME = identifier('550403');
const SUBJECT_ALTERNATIVE_NAME = identifier('551d11');
const BASIC_CONSTRAINTS = identifier('551d13');

/** A tag, the length of what follows, and that. */
function der(tag, ...parts) {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

function identifier(hex) {
  return der(OBJECT_IDENTIFIER, Buffer.from(hex, 'hex'));
}

function time(ms) {
  return der(UTC_TIME, Buffer.from(`${new Date(ms).toISOString().replace(/\D/g, '').slice(2, 14)}Z`));
}

function bits(bytes) {
  return der(BIT_STRING, Buffer.from([0]), bytes);
}

function extensions() {
  const names = der(SEQUENCE, der(0x82, Buffer.from('localhost')));
  return der(
    SEQUENCE,
    der(SEQUENCE, SUBJECT_ALTERNATIVE_NAME, der(OCTET_STRING, names)),
    der(SEQUENCE, BASIC_CONSTRAINTS, TRUE, der(OCTET_STRING, der(SEQUENCE, TRUE))), // It signs itself.
  );
}

function signedCertificate({ privateKey, publicKey }) {
  const name = der(SEQUENCE, der(SET, der(SEQUENCE, COMMON_NAME, der(UTF8_STRING, Buffer.from('localhost')))));
  const content = der(
    SEQUENCE,
    der(0xa0, der(INTEGER, Buffer.from([2]))), // Version 3.
    der(INTEGER, Buffer.from([1]), crypto.randomBytes(8)),
    ECDSA_WITH_SHA256,
    name,
    der(SEQUENCE, time(Date.now() - DAY_MS), time(Date.now() + DAY_MS)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, extensions()),
  );
  const bytes = der(SEQUENCE, content, ECDSA_WITH_SHA256, bits(crypto.sign('sha256', content, privateKey)));
  return `-----BEGIN CERTIFICATE-----\n${bytes.toString('base64')}\n-----END CERTIFICATE-----\n`;
}

const keys = crypto.generateKeyPairSync('ec', { namedCurve: 'prime256v1' });

module.exports = {
  certificate: signedCertificate(keys),
  privateKey: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }),
};
