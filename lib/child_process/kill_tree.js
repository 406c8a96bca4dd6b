'use strict';

// kill(signal, { tree: true }): a signal to a child and to all that it started.
//
// Members of the tree are found in /proc: whoever descends from the child, or is in the
// process group that it leads. Each is stopped when it is found, so that it can neither
// start another one unseen nor end and leave its pid to a stranger; when a look at all
// processes finds no new one, all get the signal and are continued. When something fails
// on the way, such as a look without a free descriptor, those that were stopped are
// continued, too.
//
// Missed is who has left the tree: whose parent had ended before (it belongs to init
// then), unless it is still in the group.

const fs = require('node:fs');

const { constants } = require('node:os');

const { SIGCONT, SIGKILL, SIGSTOP } = constants.signals;
const NO_ROOM = new Set(['EMFILE', 'ENFILE', 'ENOMEM']);

/**
 * @param {number} root pid of the child
 * @param {number} signal
 * @param {(signal: number) => boolean} killRoot sends to the child; false where it has ended
 * @returns {boolean} whether it was sent to anyone
 * @throws what killRoot() throws, and the system's error of a look into /proc
 */
function killTree(root, signal, killRoot) {
  if (signal === 0) return killRoot(0) || membersOf(root, new Set(), readProcesses()).length > 0;
  const hasRoot = killRoot(SIGSTOP);
  const members = [];
  let isDone = false;
  try {
    stopMembers(root, hasRoot, members);
    const isSent = members.map((member) => signalProcess(member, signal));
    if (hasRoot) isSent.push(killRoot(signal));
    isDone = true;
    return isSent.includes(true);
  } finally {
    // Those who were to be stopped, or are dead, need not go on.
    if (!isDone || (signal !== SIGKILL && signal !== SIGSTOP)) {
      for (const member of members) signalProcess(member, SIGCONT);
      if (hasRoot) killRoot(SIGCONT);
    }
  }
}

// `members` are those that were found and stopped before, of which it adds more.
function stopMembers(root, hasRoot, members) {
  for (;;) {
    const processes = readProcesses();
    // The child has ended and somebody else has its pid now.
    if (!hasRoot && processes.has(root)) return;
    const found = membersOf(root, new Set(members.map(({ pid }) => pid)), processes);
    const count = members.length;
    for (const member of found) stop(member, members);
    if (members.length === count) return;
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

// Adds it to `members`, unless it ended before it could be stopped. Whoever has its pid
// then is let go again.
function stop(member, members) {
  if (readProcess(member.pid)?.started !== member.started || !sendSignal(member.pid, SIGSTOP)) return;
  members.push(member);
  const now = readProcess(member.pid);
  if (now?.started === member.started) return;
  members.pop();
  if (now !== undefined) sendSignal(member.pid, SIGCONT);
}

function signalProcess(member, signal) {
  return isStill(member) && sendSignal(member.pid, signal);
}

// True where nobody can tell: those who are stopped seldom lose their pid to another.
function isStill({ pid, started }) {
  try {
    return readProcess(pid)?.started === started;
  } catch {
    return true;
  }
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

// undefined where it has ended, or is hidden from us (`hidepid` of proc(5)).
function readProcess(pid) {
  let line;
  try {
    line = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch (error) {
    if (NO_ROOM.has(error.code)) throw error;
    return undefined;
  }
  // The name, in parentheses, may hold anything: proc_pid_stat(5).
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  return { pid, state: fields[0], parent: Number(fields[1]), group: Number(fields[2]), started: fields[19] };
}

module.exports = { killTree };
