'use strict';

// kill(signal, { tree: true }): a signal to a child and to all that it started.
//
// Members of the tree are found in /proc: whoever descends from the child, or is in the
// process group that it leads. Each is stopped when it is found, so that it can neither
// start another one unseen nor end and leave its pid to a stranger; when a look at all
// processes finds no new one, all get the signal and are continued.
//
// Missed is who has left the tree: whose parent had ended before (it belongs to init
// then), unless it is still in the group.

const fs = require('node:fs');

const { constants } = require('node:os');

const { SIGCONT, SIGKILL, SIGSTOP } = constants.signals;

/**
 * @param {number} root pid of the child
 * @param {number} signal
 * @param {(signal: number) => boolean} killRoot sends to the child; false where it has ended
 * @returns {boolean} whether it was sent to anyone
 */
function killTree(root, signal, killRoot) {
  if (signal === 0) return killRoot(0) || membersOf(root, new Set(), readProcesses()).length > 0;
  const hasRoot = killRoot(SIGSTOP);
  const members = stopMembers(root, hasRoot);
  const send = (number) => {
    const isSent = members.map((member) => signalProcess(member, number));
    return (hasRoot && killRoot(number)) || isSent.includes(true);
  };
  const isSent = send(signal);
  if (signal !== SIGKILL && signal !== SIGSTOP) send(SIGCONT);
  return isSent;
}

function stopMembers(root, hasRoot) {
  const members = new Map();
  for (;;) {
    const processes = readProcesses();
    // The child has ended and somebody else has its pid now.
    if (!hasRoot && processes.has(root)) return [];
    const found = membersOf(root, new Set(members.keys()), processes).filter(stop);
    if (found.length === 0) return [...members.values()];
    for (const member of found) members.set(member.pid, member);
  }
}

// Of `processes`, those that belong to the tree and are not in `known`.
function membersOf(root, known, processes) {
  const isParent = (pid) => pid === root || known.has(pid);
  return [...processes.values()].filter(
    ({ pid, parent, group, state }) =>
      pid !== root && pid !== process.pid && !known.has(pid) && state !== 'Z' && (isParent(parent) || group === root),
  );
}

// False where it ended before it could be stopped. Whoever has its pid then is let go
// again.
function stop(member) {
  if (!signalProcess(member, SIGSTOP)) return false;
  const now = readProcess(member.pid);
  if (now?.started === member.started) return true;
  if (now !== undefined) sendSignal(member.pid, SIGCONT);
  return false;
}

function signalProcess({ pid, started }, signal) {
  return readProcess(pid)?.started === started && sendSignal(pid, signal);
}

// One that runs as another user cannot be reached.
function sendSignal(pid, signal) {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

function readProcesses() {
  const pids = fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const processes = pids.map((pid) => readProcess(Number(pid))).filter((found) => found !== undefined);
  return new Map(processes.map((found) => [found.pid, found]));
}

// undefined where it has ended.
function readProcess(pid) {
  let line;
  try {
    line = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  // The name, in parentheses, may hold anything: proc_pid_stat(5).
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  return { pid, state: fields[0], parent: Number(fields[1]), group: Number(fields[2]), started: fields[19] };
}

module.exports = { killTree };
