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
decided_by_hand=$CFS_DIR

echo
echo "The same without anybody at the keyboard: three nodes with agents come up one by one (WO 99/53415, FIG. 9C-E)."
export CFS_DIR=$dir/agents
cfs init --from "$here/fixtures/joining.yaml" --yes
cfs cluster set lease.timeout=2s lease.interval=400ms join.settle=200ms

agents=()
stop_agents() {
  for pid in "${agents[@]}"; do kill -9 "$pid" 2>/dev/null || true; done
}
trap stop_agents EXIT

agent() { # NODE: starts its agent; ends when the node is a member that runs what it was given
  printf '\n$ cfs agentd --node %s &\n' "$1"
  node "$here/bin/run.js" agentd --node "$1" --state-dir "$dir/$1" 2>"$dir/$1.log" &
  agents+=($!)
  disown # its end is no news of the shell's
  until_true member "$1"
}
member() { node "$here/bin/run.js" node list --filter "name=$1" -o csv | grep -q ',online,' && [[ $(generation) == "$(applied "$1")" ]]; }
failed() { node "$here/bin/run.js" node list --filter "name=$1" -o csv | grep -q ',failed,'; }
generation() { node "$here/bin/run.js" db stat --json | sed -n 's/^ *"generation": \([0-9]*\),*$/\1/p' | head -n 1; }
applied() { node "$here/bin/run.js" node show "$1" --json | sed -n 's/^ *"applied": \([0-9]*\),*$/\1/p' | head -n 1; }
until_true() { # CONDITION…: asks again and again, for at most 20 s
  for _ in $(seq 100); do
    "$@" && return
    sleep 0.2
  done
  echo "demo: waited 20 s for: $*; the logs are in $dir" >&2
  exit 1
}

for node in CFN1 CFN2 CFN3; do agent "$node"; done
cfs volume list
cfs node list

printf '\n$ kill -9 AGENT-OF-CFN3   # both of its processes\n'
# shellcheck disable=SC2046 # one word for each process
kill -9 "${agents[2]}" $(cat "/proc/${agents[2]}/task/${agents[2]}/children" 2>/dev/null || true)
until_true failed CFN3
cfs volume list
cfs history --membership
cfs why Finance
stop_agents
trap - EXIT
by_agents=$CFS_DIR

echo
echo "Clients mount volumes: many read, one writes, and the right is handed over on request (WO 99/53415, FIG. 12A-15E)."
export CFS_DIR=$dir/clients
cfs init --name studio --nodes n1 --volumes 2 --clients c1,c2,c3 --yes --dir "$CFS_DIR"
for client in c1 c2 c3; do cfs client logon "$client"; done
cfs volume request-write v1 --client c1
cfs volume request-write v1 --client c2 --message "need to render"
cfs volume request-write v1 --client c3
cfs volume access
cfs volume respond v1 --grant --message "all saved"
cfs volume access
cfs history --access

echo
echo "The clusters stay in $decided_by_hand, $by_agents and $CFS_DIR. Try: CFS_DIR=$decided_by_hand node bin/run.js diff 2 3"
