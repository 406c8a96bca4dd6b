"""The Python column of bench/spawn: spawn.py KIND MEGABYTES COUNT; see bench/spawn.js."""

import json
import statistics
import subprocess
import sys
import time

BURST = 200


def spawn_true():
    return subprocess.Popen(["/bin/true"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def spawn():
    began = time.monotonic()
    child = spawn_true()
    blocked = time.monotonic() - began
    child.wait()
    return blocked


def spawn_sync():
    began = time.monotonic()
    subprocess.run(["/bin/true"], capture_output=True, check=True)
    return time.monotonic() - began


def collect():
    began = time.monotonic()
    child = subprocess.Popen("head -c 1000000 /dev/zero", shell=True, stdout=subprocess.PIPE)
    blocked = time.monotonic() - began
    assert len(child.communicate()[0]) == 1000000
    return blocked


def burst():
    began = time.monotonic()
    children = [spawn_true() for _ in range(BURST)]
    blocked = time.monotonic() - began
    for child in children:
        child.wait()
    return blocked


def main(kind, megabytes, count):
    memory = bytearray(b"\1" * (1 << 20)) * int(megabytes)
    work = {"spawn": spawn, "spawnSync": spawn_sync, "exec": collect, "burst": burst}[kind]
    blocked, ended = [], []
    for _ in range(int(count)):
        began = time.monotonic()
        blocked.append(work())
        ended.append(time.monotonic() - began)
    medians = {"blocked": statistics.median(blocked) * 1e6, "ended": statistics.median(ended) * 1e6}
    print(json.dumps(medians))
    del memory


main(*sys.argv[1:])
