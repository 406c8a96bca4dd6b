#!/bin/bash
# Every check that reads the source without running it: `npm run lint`.
# `npm run format` (this script with --fix) rewrites what a tool can put right.
# All checks run even if one fails; the exit status is non-zero if any did. With CI set,
# everything is checked; else ESLint and clang-tidy look at what changed since it was clean.

set -uo pipefail
cd "$(dirname "$0")/.." || exit 2
export PATH="$PWD/node_modules/.bin:$PATH"

# The layout that clang-format gives differs between versions; this one is ours.
CLANG_FORMAT=$(command -v clang-format-14 || echo clang-format)
CLANG_TIDY=$(command -v clang-tidy-14 || echo clang-tidy)
CACHE=node_modules/.cache

failed=()
cached=(--cache --cache-location "$CACHE/eslint/")
[ -z "${CI:-}" ] || cached=()

check() {
  local name=$1 began=$SECONDS
  shift
  if "$@" </dev/null; then
    echo "ok       $name ($((SECONDS - began)) s)"
  else
    echo "FAILED   $name: $*" >&2
    failed+=("$name")
  fi
}

c_files() {
  find src test bench examples -not -path '*/build/*' -not -path '*/node_modules/*' \
    \( -name '*.cc' -o -name '*.h' -o -name '*.c' \) 2>/dev/null | sort
}

each_c_file() {
  c_files | xargs -r "$@"
}

# Where node_api.h and uv.h are: beside the running executable, as scripts/build.js
# has it, else where node-gyp keeps its download.
node_headers() {
  local prefix version
  prefix=$(node -p 'path.resolve(fs.realpathSync(process.execPath), "../..")')
  version=$(node -p process.versions.node)
  if [ ! -f "$prefix/include/node/node_api.h" ]; then
    prefix=${XDG_CACHE_HOME:-$HOME/.cache}/node-gyp/$version
    [ -f "$prefix/include/node/node_api.h" ] || node-gyp install >&2 || return
  fi
  echo "$prefix/include/node"
}

# Headers of others come as -isystem: nothing in them is ours to mend. The
# preprocessor lines of binding.gyp are repeated here.
tidy() {
  local headers
  headers=$(node_headers) || return
  export CLANG_TIDY CACHE
  FLAGS="-x c++ -std=c++17 -fno-exceptions -Isrc -isystem $headers \
    -isystem $(node -p 'require("node-addon-api").include_dir') -DNAPI_VERSION=8 \
    -DNODE_ADDON_API_DISABLE_DEPRECATED -DNODE_ADDON_API_DISABLE_CPP_EXCEPTIONS -D_GNU_SOURCE"
  export FLAGS
  export -f tidy_file
  mkdir -p "$CACHE/clang-tidy"
  find src -name '*.cc' -print0 | sort -z | xargs -0 -P "$(nproc)" -I '{}' bash -c 'tidy_file "$1"' bash '{}'
}

# By hand, a file is passed over while it, the headers of ours that it includes, and
# the checks are what they were when it was clean.
tidy_file() {
  local includes sum clean
  # shellcheck disable=SC2086 # FLAGS is many words.
  includes=$(c++ $FLAGS -MM "$1" | tr -d '\\' | cut -d: -f2) || return
  # shellcheck disable=SC2086 # So is this.
  sum=$(cat $includes .clang-tidy scripts/lint.sh | sha256sum | cut -d' ' -f1)
  clean=$CACHE/clang-tidy/$(basename "$1").$sum
  [ -n "${CI:-}" ] || [ ! -e "$clean" ] || return 0
  # shellcheck disable=SC2086
  "$CLANG_TIDY" --quiet "$1" -- $FLAGS 2>/dev/null || return
  rm -f "$CACHE/clang-tidy/$(basename "$1")".*
  touch "$clean"
}

type_tests() {
  tsd --typings types/index.d.ts --files 'test/types/*.test-d.ts'
}

if [ "${1:-}" = --fix ]; then
  check 'clang-format' each_c_file "$CLANG_FORMAT" -i
  check 'eslint' eslint --fix .
  check 'prettier' prettier --log-level warn --write .
else
  check 'clang-format' each_c_file "$CLANG_FORMAT" --dry-run -Werror
  check 'eslint' eslint "${cached[@]}" --max-warnings 0 .
  check 'prettier' prettier --log-level warn --check .
  check 'tsc over types/' tsc -p types
  check 'tsc over lib/' node scripts/check_types.js
  check 'tsd' type_tests
  check 'clang-tidy' tidy
fi

if [ ${#failed[@]} -gt 0 ]; then
  echo "lint: ${#failed[@]} failed: ${failed[*]}" >&2
  exit 1
fi
