'use strict';

// The command line of `npm run conformance`, checked and complete.

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { parseArgs } = require('node:util');

const USAGE = `usage: npm run conformance -- --tests DIR [--list NAME]... [options]

  --tests DIR     the "test" folder of Node's source tree, of version 25.8.1
  --list NAME     a list of scripts/conformance/lists, or a file; again, or with
                  commas, for more (default: ${'net-path,net-api,net-tcp,wider-net'})
  --filter REGEXP only tests whose name matches
  --only MODULES  what to replace (default: what the package has of net and
                  child_process)
  --stock         replace nothing: how does Node itself do?
  --node BIN      the node to run them with (default: this one)
  --jobs N        tests at a time (default 2)
  --timeout SEC   for each test (default 30)
  --retries N     run a failing test again; passing then is "flaky" (default 0)
  --no-baseline   also run what does not pass on stock Node of this version
  --out FILE      write all results, with the ends of the outputs, as JSON
  --docs          put the tables of this version of Node into docs/conformance.md
`;

const OPTIONS = {
  tests: { type: 'string' },
  list: { type: 'string', multiple: true, default: ['net-path,net-api,net-tcp,wider-net'] },
  filter: { type: 'string', default: '' },
  only: { type: 'string' },
  stock: { type: 'boolean', default: false },
  node: { type: 'string', default: process.execPath },
  jobs: { type: 'string', default: '2' },
  timeout: { type: 'string', default: '30' },
  retries: { type: 'string', default: '0' },
  'no-baseline': { type: 'boolean', default: false },
  out: { type: 'string' },
  docs: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
};

/** @throws an error with `usage: true` */
function parseOptions(args) {
  const given = parse(args);
  if (given.help) throw usage('');
  if (!given.tests) throw usage('--tests is needed');
  const node = findProgram(given.node);
  return {
    tests: existing(given.tests),
    lists: given.list.flatMap((names) => names.split(',')).map(listFile),
    filter: new RegExp(given.filter),
    only: given.only?.split(','),
    stock: given.stock,
    node,
    version: execFileSync(node, ['--version'], { encoding: 'utf8' }).trim(),
    jobs: atLeast(1, given, 'jobs'),
    timeout: atLeast(1, given, 'timeout') * 1000,
    retries: atLeast(0, given, 'retries'),
    baseline: !given['no-baseline'] && !given.stock,
    out: given.out,
    docs: given.docs,
  };
}

function parse(args) {
  try {
    return parseArgs({ args, options: OPTIONS }).values;
  } catch (err) {
    throw usage(err.message);
  }
}

function usage(message) {
  return Object.assign(new Error(`${message}\n\n${USAGE}`.trim()), { usage: true });
}

function existing(file) {
  if (!fs.existsSync(file)) throw usage(`${file} does not exist`);
  return fs.realpathSync(file);
}

function listFile(name) {
  return existing(name.includes('/') ? name : path.join(__dirname, 'lists', `${name}.txt`));
}

function findProgram(given) {
  if (given.includes('/')) return existing(given);
  const folders = (process.env.PATH ?? '').split(path.delimiter);
  return existing(folders.map((folder) => path.join(folder, given)).find((file) => fs.existsSync(file)) ?? given);
}

function atLeast(minimum, given, name) {
  const number = Number(given[name]);
  if (Number.isInteger(number) && number >= minimum) return number;
  throw usage(`--${name} ${given[name]}: not a number from ${minimum}`);
}

module.exports = { parseOptions };
