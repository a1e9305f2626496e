#!/usr/bin/env bash
# The main job on an embedded default: a demonstration cluster in a local directory. Each command is shown, then run.
# Usage: demo.sh [DIRECTORY]   (default ./demo-cluster; made anew each time)
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
dir=${1:-demo-cluster}

if [ -e "$dir" ]; then
  # Only what an earlier demonstration made is removed.
  if [ -f "$dir/.cfs-demo" ]; then rm -rf -- "$dir"; else
    echo "demo: $dir exists and was not made by this demonstration; name another directory" >&2
    exit 4
  fi
fi
mkdir -p "$dir"
touch "$dir/.cfs-demo"
export CFS_DIR=$dir/cluster

cfs() {
  printf '\n\033[1m$ cfs %s\033[0m\n' "$*"
  node "$here/bin/run.js" "$@"
}
[ -t 1 ] || cfs() {
  printf '\n$ cfs %s\n' "$*"
  node "$here/bin/run.js" "$@"
}

echo "A cluster of twenty nodes, ten of them online, and 31 volumes; the whole of it lives in $CFS_DIR"
cfs init --from "$here/fixtures/ten-nodes.yaml" --yes
cfs rebalance --message "first placement"
cfs status
cfs node list -o wide
cfs why o1
echo
echo "Now CFN8 dies."
cfs failover CFN8 --message "power supply"
cfs why s1
cfs status
echo
echo "CFN8 is repaired: what prefers it returns, and a rebalance evens out the rest."
cfs failback CFN8
cfs rebalance
cfs history
echo
echo "The cluster stays in $CFS_DIR. Try: CFS_DIR=$CFS_DIR node bin/run.js diff 2 3"
