# shellcheck shell=bash
# What moosefs.sh, glusterfs.sh and sshfs.sh have in common; sourced by them, never run.
#
# A shared file system of the lab: servers run in the lab's machines, and every host mounts it at one path in its own mount
# namespace, so that each host has a FUSE process and caches of its own. Everything stands below $NETLAB_DIR/$FS: settings,
# bricks, logs, and one file NAME.pid per process (its number in the machine's own namespace). File system traffic goes over
# subnet b, so that `netlab port HOST b0 down` takes the storage away from one host alone.

set -euo pipefail

NETLAB=${NETLAB:-$(dirname "${BASH_SOURCE[0]}")/../../../shared/lab/netlab.sh}
export NETLAB_NAME=${NETLAB_NAME:-cfs}
NETLAB_DIR=${NETLAB_DIR:-/var/tmp/cfs-netlab/$NETLAB_NAME}
export NETLAB_DIR
FS=${FS:?the sourcing script says which file system}
STATE=$NETLAB_DIR/$FS

die() { echo "$FS: $*" >&2; exit 2; }
usage() { sed -n '2,/^$/s/^# \{0,1\}//p' "$0"; exit 2; }

netlab() { "$NETLAB" "$@"; }
on() { netlab exec "$@"; } # MACHINE CMD...

# The machines of the running lab; fails when it is down.
load_lab() {
  local env
  env=$(netlab env 2>/dev/null) || return 1
  eval "$env"
  export HOSTS=$NETLAB_HOSTS CLIENTS=$NETLAB_CLIENTS
}
address() { local v=NETLAB_${1^^}_B0; echo "${!v}"; } # MACHINE -> its address on subnet b
is_on() { on "$1" true 2>/dev/null; }

needs() { # PROGRAM PACKAGE...
  command -v "$1" >/dev/null || PATH=$PATH:/usr/sbin:/sbin command -v "$1" >/dev/null ||
    die "needs $1: apt-get install --no-install-recommends ${*:2}"
}

# Starts a program that stays in the foreground, as a child of the machine's init process.
# $STATE/MACHINE.NAME.pid has its number as the machine sees it.
daemon() { # MACHINE NAME CMD...
  local m=$1 name=$2
  shift 2
  # shellcheck disable=SC2016
  on "$m" bash -c 'setsid bash -c "echo \$\$ >\$0.pid; exec \"\$@\"" "$@" </dev/null >>"$1.log" 2>&1 &' - "$STATE/$m.$name" "$@"
}

# The number is only ours while the process has our directory, or the mount point, in its arguments.
alive() { # MACHINE NAME -> rc 0 and its pid
  local pid
  pid=$(cat "$STATE/$1.$2.pid" 2>/dev/null) && [ -n "$pid" ] || return 1
  # shellcheck disable=SC2016
  on "$1" bash -c 'tr "\0" " " <"/proc/$1/cmdline" | grep -qF -e "$2" -e "$3"' - "$pid" "$STATE" "$MOUNT" 2>/dev/null || return 1
  echo "$pid"
}

signal() { # MACHINE NAME SIGNAL
  local pid
  pid=$(alive "$1" "$2") || return 0
  on "$1" kill "-$3" "$pid" 2>/dev/null || true
}

wait_until() { # TENTHS-OF-A-SECOND CMD... -> rc 1 when the time is over
  local i n=$1
  shift
  for ((i = 0; i < n; i++)); do
    "$@" && return 0
    sleep 0.1
  done
  return 1
}

mounted() { on "$1" grep -qs " $MOUNT fuse" /proc/mounts; } # HOST

# A new file in the directory, made within 3 s: calls may hang, and then only the one who made them waits.
answers() { # HOST
  # shellcheck disable=SC2016
  (
    timeout -s KILL 3 "$NETLAB" exec "$1" bash -c 'f=$1/.lab-probe.$2.$$; echo >"$f" && rm "$f"' - "$MOUNT" "$1"
    exit $? # not exec: the shell that sees timeout die by its own signal says so
  ) </dev/null >/dev/null 2>&1 # who hangs must not keep a pipe of ours open
}

unmount() { # HOST, whose FUSE process is gone or going
  on "$1" umount -l "$MOUNT" 2>/dev/null || true
}

load_conf() {
  MOUNT=/mnt/cfs-lab-$NETLAB_NAME
  # shellcheck disable=SC1091
  if [ -r "$STATE/conf" ]; then . "$STATE/conf"; else return 1; fi
}

remove_state() { rm -rf "${STATE:?}" 2>/dev/null; }

# Takes everything of this file system away, also after a partial up, a crash of hosts, or when the lab is down already.
remove_all() {
  local f name m
  load_conf || true
  if load_lab; then
    for m in $HOSTS; do
      is_on "$m" || continue
      signal "$m" mount KILL # ends the connection: whoever hangs in a call gets an error
      unmount "$m"
    done
    for f in "$STATE"/*.pid; do
      [ -e "$f" ] || continue
      name=$(basename "$f" .pid)
      is_on "${name%%.*}" && signal "${name%%.*}" "${name#*.}" KILL
    done
  fi
  wait_until 30 remove_state || remove_state
  rmdir "$MOUNT" "$NETLAB_DIR" 2>/dev/null || true
}

# The storage goes away for one host (its port on subnet b), or for all of them (the servers stop where they are).
hang_one() { netlab port "$1" b0 down; }
unhang_one() { netlab port "$1" b0 up; }

print_status() { # what serves, and who has it mounted; rc 1 when a part is missing, 3 when it is down
  local f name m bad=0
  if ! load_conf; then echo "$FS: down"; return 3; fi
  load_lab || { echo "$FS: the lab is down"; return 3; }
  for f in "$STATE"/*.pid; do
    [ -e "$f" ] || continue
    name=$(basename "$f" .pid)
    alive "${name%%.*}" "${name#*.}" >/dev/null || { echo "${name%%.*}: no ${name#*.}"; bad=1; }
  done
  for m in $HOSTS; do
    mounted "$m" || { echo "$m: not mounted"; bad=1; continue; }
    answers "$m" || { echo "$m: $MOUNT does not answer"; bad=1; }
  done
  [ $bad = 0 ] && echo "$FS: up on $MOUNT in $HOSTS"
  return $bad
}
