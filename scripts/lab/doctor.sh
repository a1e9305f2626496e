#!/usr/bin/env bash
#
# doctor.sh - `cfs doctor` between two hosts of the lab, on each shared file system in turn.
#
#   doctor.sh [--record DIR] [FILESYSTEM...]    local, moosefs, glusterfs, glusterfs-default-caches, sshfs; default: all
#
# Prints the verdict of each; --record keeps the measurements as DIR/FILESYSTEM.json (that is how fixtures/doctor was made).
# rc 0 when every verdict is the expected one: sshfs is refused, the others are not.
#
# Environment: NETLAB, NETLAB_DIR as in netlab.sh; NETLAB_NAME (default doc). A lab that is up is used and left up; one that is
# down is brought up with 3 hosts and 1 client, and down again. Needs: root; cfs built (npm run build).

set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export NETLAB=${NETLAB:-$HERE/../../../shared/lab/netlab.sh} NETLAB_NAME=${NETLAB_NAME:-doc}
CFS=$HERE/../../bin/run.js
ALL=(local moosefs glusterfs glusterfs-default-caches sshfs)

die() { echo "doctor.sh: $*" >&2; exit 2; }

record=
while [ $# -gt 0 ]; do
  case $1 in
    --record) record=${2:?}; shift 2 ;;
    -*) sed -n '2,/^$/s/^# \{0,1\}//p' "$0"; exit 2 ;;
    *) break ;;
  esac
done
[ $# -gt 0 ] || set -- "${ALL[@]}"
[ -z "$record" ] || mkdir -p "$record"
work=$(mktemp -d)
current=
our_lab=
# shellcheck disable=SC2317
finish() {
  [ -z "$current" ] || "$HERE/$current.sh" down >/dev/null
  [ -z "$our_lab" ] || "$NETLAB" down
  rm -rf "$work"
}
trap finish EXIT

if ! "$NETLAB" status >/dev/null; then
  "$NETLAB" up --hosts 3 --clients 1
  our_lab=yes
fi
eval "$("$NETLAB" env)"

# The first runs with --json (its talk names the code), the second prints the table.
examine() { # NAME DIRECTORY EXPECTED-RC
  local first code i rc=0
  "$NETLAB" exec h1 node "$CFS" doctor "$2" --json >"$work/$1.json" 2>"$work/$1.talk" &
  first=$!
  for ((i = 0; i < 200; i++)); do
    code=$(sed -n 's/.* --join \([0-9a-f]*\)$/\1/p' "$work/$1.talk")
    [ -z "$code" ] || break
    sleep 0.05
  done
  [ -n "$code" ] || { cat "$work/$1.talk" >&2; die "$1: the first node printed no code"; }
  echo "=== $1"
  "$NETLAB" exec h2 node "$CFS" doctor "$2" --join "$code" || rc=$?
  wait "$first" || true
  grep -v -e 'On the second node' -e '--join' "$work/$1.talk" >&2 || true
  echo "=== $1: exit $rc"
  if [ -n "$record" ]; then
    node -e '
      const { measured } = JSON.parse(require("fs").readFileSync(process.argv[1], "utf8"));
      require("fs").writeFileSync(process.argv[2], JSON.stringify(measured, null, 1) + "\n");' \
      "$work/$1.json" "$record/$1.json"
  fi
  [ "$rc" = "$3" ] || { echo "doctor.sh: $1: exit $rc, expected $3" >&2; return 1; }
}

bad=0
for name; do
  case $name in
    local) examine local "$NETLAB_SHARED" 0 || bad=1 ;;
    moosefs | glusterfs | glusterfs-default-caches | sshfs)
      current=${name%-default-caches}
      expected=0 tuned=yes
      [ "$name" != sshfs ] || expected=4
      [ "$name" != glusterfs-default-caches ] || tuned=no
      GLUSTER_TUNED=$tuned "$HERE/$current.sh" up
      examine "$name" "/mnt/cfs-lab-$NETLAB_NAME" "$expected" || bad=1
      "$HERE/$current.sh" down
      current=
      ;;
    *) die "no such file system: $name (${ALL[*]})" ;;
  esac
done
exit $bad
