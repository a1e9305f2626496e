#!/usr/bin/env bash
# The full crash run: kills, power cuts, flushes left out, failing calls, full disks, stress; then a summary. As root.
# Usage: run.sh [--quick]       an hour or more on two cores; --quick: only the small commands
#   CFS_CRASH_TMP=DIR   where images are made (default /dev/shm, else the temporary directory; 2 GiB)
#   CFS_KEEP=1          keeps the files of failed points under ./crash-kept
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
[ -f dist/cli.cjs ] || npm run --silent build
results=$(mktemp)
export CFS_CRASH_RESULTS=$results
trap 'rm -f "$results"' EXIT
ops=()
stress=()
if [ "${1:-}" = --quick ]; then
  ops=(--op=init,small,undo)
  stress=(--commits=100 --stops=5)
fi
failed=()
step() {
  local name=$1
  shift
  echo "== $name $*"
  local start=$SECONDS
  node --import tsx "scripts/crash/$name.ts" "$@" || failed+=("$name")
  echo "== $name took $((SECONDS - start)) s"
}
step kill "${ops[@]}"
step teeth
step errors "${ops[@]}"
step full-disk
step stress "${stress[@]}"
node --import tsx scripts/crash/summary.ts "$results"
if [ ${#failed[@]} -gt 0 ]; then
  echo "FAILED: ${failed[*]}"
  exit 1
fi
echo "all passed"
