'use strict';

// PM2's cluster mode, in this process instead of a daemon: pm2.js KIND PATH WORKERS. Needs
// `npm install --no-save pm2`.

const fs = require('node:fs');
const path = require('node:path');

const [kind, address, workers] = process.argv.slice(2);
const home = fs.mkdtempSync(`${address}-pm2-`);
process.env.PM2_HOME = home;
process.env.PM2_DISCRETE_MODE = 'true';

console.log = () => {}; // It tells what it does.
const pm2 = require('pm2');

const options = {
  script: path.join(__dirname, 'listening.js'),
  args: [kind, address],
  exec_mode: 'cluster',
  instances: Number(workers),
  out_file: '/dev/null',
  error_file: '/dev/null',
};

function check(error) {
  if (!error) return;
  console.error(error);
  process.exit(1);
}

pm2.connect(true, (error) => {
  check(error);
  pm2.start(options, (failure) => {
    check(failure);
    waitUntilThere();
  });
});

function waitUntilThere() {
  if (fs.existsSync(address)) process.stdout.write('listening\n');
  else setTimeout(waitUntilThere, 10);
}

process.once('exit', () => fs.rmSync(home, { recursive: true, force: true }));
process.once('SIGTERM', () => process.exit());
