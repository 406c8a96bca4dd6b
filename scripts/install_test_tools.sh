#!/bin/bash
# Installs the programs that tests and lint use, where they are missing: for root, on
# Debian and the like. `npm test` itself installs nothing, and skips what needs them.

set -uo pipefail
export DEBIAN_FRONTEND=noninteractive

readonly UNPRIVILEGED=65534 # nobody
readonly POLICY=/usr/sbin/policy-rc.d
PATH=$PATH:/usr/sbin:/sbin

# A command, and the package that has it.
readonly TOOLS=(
  c++ build-essential
  make build-essential
  python3 python3
  setpriv util-linux
  script bsdutils
  ps procps
  strace strace
  perl perl
  socat socat
  curl curl
  redis-server redis-server
  nginx nginx-light
  systemd-socket-activate systemd
  dbus-daemon dbus-daemon
  chromium chromium
  clang-format clang-format
  clang-tidy clang-tidy
)

[ "$(id -u)" = 0 ] || { echo 'Only root can install packages.' >&2; exit 1; }

# Users other than root must find it too: a version manager's below /root is not enough.
is_there() {
  setpriv --reuid="$UNPRIVILEGED" --regid="$UNPRIVILEGED" --clear-groups sh -c 'command -v "$0"' "$1" >/dev/null
}

missing=()
for ((i = 0; i < ${#TOOLS[@]}; i += 2)); do
  is_there "${TOOLS[i]}" || missing+=("${TOOLS[i + 1]}")
done
is_there postgres || compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || missing+=(postgresql)
# socat has no `nc`, and other packages' nc cannot do unix sockets.
dpkg -s netcat-openbsd >/dev/null 2>&1 || missing+=(netcat-openbsd)
perl -MIO::FDPass -e 1 2>/dev/null || missing+=(libio-fdpass-perl)
[ ${#missing[@]} -gt 0 ] || { echo 'Every program is there.'; exit; }

# The tests start their own redis, nginx and PostgreSQL: a package must not.
if [ ! -e "$POLICY" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$POLICY" && chmod 755 "$POLICY"
  trap 'rm -f "$POLICY"' EXIT
fi
echo "Installing ${missing[*]}"
apt-get update -qq || echo 'apt-get update failed; going on with what is known.' >&2
apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
