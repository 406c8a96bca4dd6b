'use strict';

// What ProcessWrap.spawn() and spawnSync() of the binding take. There an option that
// was not given is undefined, and not null.

/**
 * @param {object} options with the names of ChildProcess.prototype.spawn()
 * @param {number[]} stdio for each of the child's descriptors one of ours, or -1
 */
function toNative(options, stdio) {
  return {
    file: options.file,
    args: options.args?.length > 0 ? options.args.map(String) : [options.file],
    env: options.envPairs ?? undefined,
    cwd: options.cwd || undefined,
    stdio,
    detached: Boolean(options.detached),
    uid: options.uid ?? undefined,
    gid: options.gid ?? undefined,
    groups: options.groups ?? undefined,
    umask: options.umask ?? undefined,
    rlimits: options.rlimits ?? undefined,
    processGroup: options.processGroup ?? undefined,
    priority: options.priority ?? undefined,
    parentDeathSignal: options.parentDeathSignal ?? undefined,
    noNewPrivileges: options.noNewPrivileges ?? false,
    closeDescriptors: options.closeDescriptors ?? true,
    controllingTerminal: options.controllingTerminal ?? undefined,
    engine: options.engine ?? undefined,
  };
}

module.exports = { toNative };
