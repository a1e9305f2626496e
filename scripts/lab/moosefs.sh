#!/usr/bin/env bash
#
# moosefs.sh - MooseFS in the lab: a master, three chunk servers, a mount in every host.
#
#   moosefs.sh up [DIR]        build, and mount at DIR in every host (default /mnt/cfs-lab-NAME); no-op if it is up,
#                              mounts it where a booted host has lost it
#   moosefs.sh down            remove everything, also after a partial up
#   moosefs.sh status          rc 0 up and answering, 1 something is missing, 3 down
#   moosefs.sh hang [HOST]     the directory hangs: in HOST alone (its storage port b0 is pulled), or everywhere (the
#                              master stops where it is)
#   moosefs.sh unhang [HOST]   ends that
#
# Environment: NETLAB (path of netlab.sh), NETLAB_NAME, NETLAB_DIR as there; MFS_SERVERS  machines of the chunk servers, the
# first also has the master. Default: c1, which has all three, so that hosts may crash or lose their port without
# stalling the others (a write waits about 10 s for a chunk server that is gone); "h1 h2 h3" in a lab without clients.
# Needs: a lab that is up; root.
# Packages: moosefs-master moosefs-chunkserver moosefs-client.

FS=moosefs
# shellcheck source=scripts/lab/shared-fs.sh
. "$(dirname "${BASH_SOURCE[0]}")/shared-fs.sh"

start_master() {
  local d=$STATE/master
  if alive "$MASTER" master >/dev/null; then return; fi
  mkdir -p "$d"
  [ -e "$d/metadata.mfs" ] || [ -e "$d/metadata.mfs.back" ] || printf 'MFSM NEW' >"$d/metadata.mfs"
  echo '* / rw,alldirs,maproot=0:0' >"$STATE/exports.cfg"
  : >"$STATE/topology.cfg"
  cat >"$STATE/master.cfg" <<END
WORKING_USER = root
WORKING_GROUP = root
DATA_PATH = $d
EXPORTS_FILENAME = $STATE/exports.cfg
TOPOLOGY_FILENAME = $STATE/topology.cfg
NICE_LEVEL = 0
DISABLE_OOM_KILLER = 0
END
  daemon "$MASTER" master mfsmaster -f -a -c "$STATE/master.cfg" start
}

start_chunkserver() { # MACHINE NUMBER
  local name=chunkserver$2 d=$STATE/chunks$2
  if alive "$1" "$name" >/dev/null; then return; fi
  mkdir -p "$d/data" "$d/disk"
  echo "$d/disk" >"$d/hdd.cfg"
  cat >"$d/server.cfg" <<END
WORKING_USER = root
WORKING_GROUP = root
DATA_PATH = $d/data
HDD_CONF_FILENAME = $d/hdd.cfg
MASTER_HOST = $(address "$MASTER")
MASTER_RECONNECTION_DELAY = 1
BIND_HOST = $(address "$1")
CSSERV_LISTEN_HOST = $(address "$1")
CSSERV_LISTEN_PORT = $((9421 + $2))
HDD_LEAVE_SPACE_DEFAULT = 64MiB
NICE_LEVEL = 0
DISABLE_OOM_KILLER = 0
END
  daemon "$1" "$name" mfschunkserver -f -c "$d/server.cfg" start
}

start_mount() { # HOST
  if mounted "$1"; then return; fi
  on "$1" mkdir -p "$MOUNT"
  daemon "$1" mount mfsmount -f "$MOUNT" -H "$(address "$MASTER")" \
    -o "mfsdelayedinit,mfsbind=$(address "$1"),mfsnice=0,mfsallowoomkiller"
}

# shellcheck disable=SC2016
listens() { on "$MASTER" bash -c ': </dev/tcp/"$0"/9421' "$(address "$MASTER")" 2>/dev/null; }

cmd_up() {
  local m i servers
  needs mfsmaster moosefs-master
  needs mfschunkserver moosefs-chunkserver
  needs mfsmount moosefs-client
  load_lab || die "the lab is down: $NETLAB up"
  load_conf || MOUNT=${1:-$MOUNT}
  [ "${1:-$MOUNT}" = "$MOUNT" ] || die "is up on $MOUNT: down first"
  read -ra servers <<<"${MFS_SERVERS:-${SERVERS:-$([ -n "$CLIENTS" ] && echo c1 || echo h1 h2 h3)}}"
  MASTER=${servers[0]}
  mkdir -p "$STATE"
  printf '%s\n' "MOUNT=$MOUNT" "MASTER=$MASTER" "SERVERS='${servers[*]}'" >"$STATE/conf"
  start_master
  wait_until 50 listens || die "the master does not listen: $(tail -n 3 "$STATE/$MASTER.master.log")"
  for i in 1 2 3; do
    m=${servers[$(((i - 1) % ${#servers[@]}))]}
    if is_on "$m"; then start_chunkserver "$m" "$i"; fi
  done
  for m in $HOSTS; do
    if is_on "$m"; then start_mount "$m"; fi
  done
  for m in $HOSTS; do
    is_on "$m" || continue
    wait_until 50 mounted "$m" || die "$m did not mount: $(tail -n 3 "$STATE/$m.mount.log")"
  done
  # Writing works once the chunk servers have registered.
  for m in $HOSTS; do
    is_on "$m" || continue
    wait_until 100 answers "$m" || die "$m: $MOUNT does not answer"
  done
  echo "moosefs: up on $MOUNT"
}

cmd_hang() { if [ -n "${1:-}" ]; then hang_one "$1"; else signal "$MASTER" master STOP; fi; }
cmd_unhang() { if [ -n "${1:-}" ]; then unhang_one "$1"; else signal "$MASTER" master CONT; fi; }

case ${1:-} in
  up) cmd_up "${@:2}" ;;
  down) remove_all; echo "moosefs: down" ;;
  status) print_status ;;
  hang | unhang)
    if ! load_lab || ! load_conf; then die "is down"; fi
    "cmd_$1" "${@:2}"
    ;;
  *) usage ;;
esac
