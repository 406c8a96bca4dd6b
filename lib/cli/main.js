#!/usr/bin/env node
'use strict';

// The command `pipewright`: what its arguments mean, and which file carries each subcommand out.
// A mistake in the arguments ends it with status 2, a failure with 1; both say why in one line.

const { Command, Option } = require('commander');

const { version } = require('../../package.json');
const { runCluster } = require('./cluster_command.js');
const { WRONG_USAGE } = require('./values.js');
const { runStatus } = require('./status_command.js');

const EXAMPLES = `
Examples:
  pipewright cluster app.js                                  at the program's own addresses
  pipewright cluster app.js -w 4 -l /run/app.sock -m 660     on a Unix socket
  pipewright cluster app.js -l 8080 -l '[::1]:8081' -- -v    at two ports; -v is the program's
  pipewright cluster app.js --status /run/app.status         and: pipewright status /run/app.status
  pipewright cluster app.js -l systemd                       on the sockets that systemd passes

Signals:
  SIGTERM, SIGINT  accept no more, finish what is open, end; a second one ends at once
  SIGHUP           reload: new workers start, and take over when ready; the old ones finish
  SIGUSR2          upgrade: a new process, with the program and pipewright as on disk
`;

function makeProgram() {
  const program = new Command('pipewright');
  program
    .description('Unix sockets and clusters for Node.js.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'pipewright: ')) })
    .configureHelp({ showGlobalOptions: false })
    .showSuggestionAfterError(false)
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : WRONG_USAGE));
  addCluster(program);
  addStatus(program);
  return program;
}

function addCluster(program) {
  const collect = (value, previous = []) => [...previous, value];
  program
    .command('cluster')
    .summary('run a server program in several processes')
    .description(
      'Runs a server program of net, http, https, http2 or what is built on them, unchanged, in several processes. ' +
        'One more process accepts and hands the connections out. A worker that dies is started again, and takes no ' +
        'client with it whose request it has not begun to read.',
    )
    .argument('<program>', 'the program, which calls listen() itself')
    .argument('[args...]', 'its arguments; behind -- if they begin with a dash')
    .option('-w, --workers <number>', 'how many processes (default: one for each processor)')
    .option('-t, --threads', 'threads of one process in the place of processes')
    .option(
      '-l, --listen <where>',
      'path, port, host:port or "systemd", instead of what the program says; may be repeated',
      collect,
    )
    .option('-m, --mode <octal>', 'mode of the files of --listen, such as 660')
    .option('--owner <user>', 'their owner')
    .option('--group <group>', 'their group')
    .addOption(
      new Option('--ack <when>', "when a connection of --listen is the worker's: see docs/cluster.md")
        .choices(['first-byte', 'accept'])
        .default('first-byte'),
    )
    .option(
      '-s, --schedule <name>',
      'which worker gets a connection: round-robin, least-connections, sticky (by client), shared (they accept)',
      'round-robin',
    )
    .option('--status <where>', 'path or loopback port of a page, also for "pipewright status"; none without it')
    .option('--ready-timeout <ms>', 'a worker that does not listen by then is killed; 0: never', '30000')
    .option('--handover-timeout <ms>', 'so is one that stands still for so long; 0: never', '10000')
    .option('--close-timeout <ms>', 'and one that is to end and has not by then; 0: never', '10000')
    .option('-q, --quiet', 'say errors only')
    .addHelpText('after', EXAMPLES)
    .action((file, args, options, command) => runCluster({ file, args, options, command }));
}

function addStatus(program) {
  program
    .command('status')
    .summary('show the workers of a cluster')
    .description(
      'Shows the workers of a cluster that has a status page (--status, or the option statusPage). At a terminal ' +
        'the table is kept up to date; elsewhere it is printed once.',
    )
    .argument('<where>', 'path or port of the page')
    .option('--json', 'print what the page knows as JSON')
    .option('--once', 'print the table once at a terminal too')
    .action((where, options, command) => runStatus({ where, options, command }));
}

makeProgram().parse();
