'use strict';

// kill(signal, { tree: true }): sends a signal to a child and to every process it started.
//
// The members of the tree are found in /proc: they descend from the child, or are in the
// process group that it leads. Each is stopped when it is found, so that it can neither
// start another one unseen, nor end and leave its pid to another process. When a scan of
// all processes finds no new member, all get the signal and are continued. If something
// fails on the way, such as a scan without a free descriptor, the stopped members are
// continued, too.
//
// A process that has left the tree is missed: its parent had ended before, so that init is
// its parent now. It is found all the same if it is still in the group.

const fs = require('node:fs');

const { constants } = require('node:os');

const { SIGCONT, SIGKILL, SIGSTOP } = constants.signals;
const NO_ROOM = new Set(['EMFILE', 'ENFILE', 'ENOMEM']);

/**
 * @param {number} root pid of the child
 * @param {number} signal
 * @param {(signal: number) => boolean} killRoot sends to the child; returns false if it has ended
 * @returns {boolean} true if the signal was sent to at least one process
 * @throws what killRoot() throws; the system's error if /proc cannot be read
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
    // After SIGSTOP the members must stay stopped, and after SIGKILL they are dead.
    if (!isDone || (signal !== SIGKILL && signal !== SIGSTOP)) {
      for (const member of members) signalProcess(member, SIGCONT);
      if (hasRoot) killRoot(SIGCONT);
    }
  }
}

// Finds and stops members of the tree, and adds each to `members`.
function stopMembers(root, hasRoot, members) {
  for (;;) {
    const processes = readProcesses();
    // The child has ended, and another process has its pid now.
    if (!hasRoot && processes.has(root)) return;
    const found = membersOf(root, new Set(members.map(({ pid }) => pid)), processes);
    const count = members.length;
    for (const member of found) stop(member, members);
    if (members.length === count) return;
  }
}

// Returns those of `processes` that belong to the tree and are not in `known`.
function membersOf(root, known, processes) {
  const isParent = (pid) => pid === root || known.has(pid);
  return [...processes.values()].filter(
    ({ pid, parent, group, state }) =>
      pid !== root && pid !== process.pid && !known.has(pid) && state !== 'Z' && (isParent(parent) || group === root),
  );
}

// Stops a process and adds it to `members`. If it ended before that, another process may
// have its pid and may have been stopped instead: that one is continued.
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

// Returns true if /proc cannot be read: a stopped process seldom loses its pid to another.
function isStill({ pid, started }) {
  try {
    return readProcess(pid)?.started === started;
  } catch {
    return true;
  }
}

// Returns false if the process has ended, or runs as another user.
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

// Returns undefined if the process has ended, or is hidden from us (`hidepid` in proc(5)).
function readProcess(pid) {
  let line;
  try {
    line = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch (error) {
    if (NO_ROOM.has(error.code)) throw error;
    return undefined;
  }
  // The name is in parentheses and may contain any character: proc_pid_stat(5).
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  return { pid, state: fields[0], parent: Number(fields[1]), group: Number(fields[2]), started: fields[19] };
}

module.exports = { killTree };
