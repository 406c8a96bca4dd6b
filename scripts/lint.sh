#!/bin/bash
# Every check that reads the source without running it: `npm run lint`.
# `npm run format` (this script with --fix) rewrites what a tool can put right.
# All checks run even if one fails; the exit status is non-zero if any did.

set -uo pipefail
cd "$(dirname "$0")/.." || exit 2
export PATH="$PWD/node_modules/.bin:$PATH"

# The layout that clang-format gives differs between versions; this one is ours.
CLANG_FORMAT=$(command -v clang-format-14 || echo clang-format)
CLANG_TIDY=$(command -v clang-tidy-14 || echo clang-tidy)

failed=()

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
  local headers addon_api
  headers=$(node_headers) || return
  addon_api=$(node -p 'require("node-addon-api").include_dir')
  printf '%s\n' src/*.cc | xargs -P "$(nproc)" -n 1 sh -c '
    "$2" --quiet "$3" -- -x c++ -std=c++17 -fno-exceptions -isystem "$0" -isystem "$1" \
      -DNAPI_VERSION=8 -DNODE_ADDON_API_DISABLE_DEPRECATED -DNODE_ADDON_API_DISABLE_CPP_EXCEPTIONS \
      -D_GNU_SOURCE 2>/dev/null || exit 1' "$headers" "$addon_api" "$CLANG_TIDY"
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
  check 'eslint' eslint --max-warnings 0 .
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
