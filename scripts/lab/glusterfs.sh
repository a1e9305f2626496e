#!/usr/bin/env bash
#
# glusterfs.sh - GlusterFS in the lab: a replica 3 volume with a brick in each of three machines, a mount in every host.
#
#   glusterfs.sh up [DIR]        build, and mount at DIR in every host (default /mnt/cfs-lab-NAME); no-op if it is up,
#                                starts and mounts again what a booted host has lost
#   glusterfs.sh down            remove everything, also after a partial up
#   glusterfs.sh status          rc 0 up and answering, 1 something is missing, 3 down
#   glusterfs.sh hang [HOST]     the directory hangs: in HOST alone (its storage port b0 is pulled; a brick there stalls the
#                                others for the ping timeout), or everywhere (all bricks stop where they are; calls fail
#                                with ENOTCONN once the ping timeout is over)
#   glusterfs.sh unhang [HOST]   ends that
#
# Environment: NETLAB (path of netlab.sh), NETLAB_NAME, NETLAB_DIR as there. GLUSTER_SERVERS  three machines; default
# "c1 c2 c3" in a lab with three clients, so that hosts may crash; else "h1 h2 h3". GLUSTER_PING  ping timeout, s (default 3;
# GlusterFS has 42). GLUSTER_TUNED=no leaves the caches as GlusterFS has them by default, to see what they do.
# Needs: a lab that is up; root. Packages: glusterfs-server glusterfs-client.

FS=glusterfs
# shellcheck source=scripts/lab/shared-fs.sh
. "$(dirname "${BASH_SOURCE[0]}")/shared-fs.sh"

gluster() { # MACHINE ARG... ; the words of its failure come from its standard output
  on "$1" gluster --mode=script "${@:2}" >"$STATE/gluster.out" 2>&1
}

# Every server gets a working directory and logs of its own in place of the machine's.
start_glusterd() { # MACHINE
  local d=$STATE/$1
  if alive "$1" glusterd >/dev/null; then return; fi
  mkdir -p "$d/lib" "$d/log/bricks" "$d/brick" /var/lib/glusterd /var/log/glusterfs
  cat >"$d/glusterd.vol" <<END
volume management
    type mgmt/glusterd
    option working-directory /var/lib/glusterd
    option transport-type socket
    option transport.socket.listen-port 24007
    option transport.socket.bind-address $(address "$1")
    option transport.address-family inet
    option transport.socket.keepalive-time 10
    option transport.socket.keepalive-interval 2
    option ping-timeout 0
    option max-port 60999
end-volume
END
  on "$1" mount --bind "$d/lib" /var/lib/glusterd
  on "$1" mount --bind "$d/log" /var/log/glusterfs
  on "$1" mkdir -p /run/gluster
  daemon "$1" glusterd glusterd --no-daemon -f "$d/glusterd.vol" -l "$d/glusterd.log"
}

peers_connected() { # NUMBER
  gluster "${servers[0]}" peer status || return 1
  [ "$(grep -c 'Peer in Cluster (Connected)' "$STATE/gluster.out")" = "$1" ]
}

make_volume() {
  local m bricks=()
  for m in "${servers[@]}"; do bricks+=("$(address "$m"):$STATE/$m/brick"); done
  for m in "${servers[@]:1}"; do
    wait_until 50 gluster "${servers[0]}" peer probe "$(address "$m")" || die "peer $m: $(cat "$STATE/gluster.out")"
  done
  wait_until 100 peers_connected 2 || die "the peers do not meet: $(cat "$STATE/gluster.out")"
  gluster "${servers[0]}" volume create lab replica 3 "${bricks[@]}" force || die "create: $(cat "$STATE/gluster.out")"
  local options=(network.ping-timeout "${GLUSTER_PING:-3}")
  [ "${GLUSTER_TUNED:-yes}" = no ] || options+=(performance.stat-prefetch off performance.quick-read off)
  gluster "${servers[0]}" volume set lab "${options[@]}" || die "set: $(cat "$STATE/gluster.out")"
  gluster "${servers[0]}" volume start lab || die "start: $(cat "$STATE/gluster.out")"
}

start_mount() { # HOST
  local server=(--volfile-server="$(address "${servers[0]}")" --volfile-server="$(address "${servers[1]}")")
  local tuned=(--attribute-timeout=0 --entry-timeout=0)
  if mounted "$1"; then return; fi
  [ "${GLUSTER_TUNED:-yes}" = no ] && tuned=()
  on "$1" mkdir -p "$MOUNT"
  daemon "$1" mount glusterfs --no-daemon "${server[@]}" --volfile-id=/lab "${tuned[@]}" \
    -l "$STATE/$1.mount.glusterfs.log" "$MOUNT"
}

cmd_up() {
  local m
  needs glusterd glusterfs-server
  needs glusterfs glusterfs-client
  load_lab || die "the lab is down: $NETLAB up"
  load_conf || MOUNT=${1:-$MOUNT}
  [ "${1:-$MOUNT}" = "$MOUNT" ] || die "is up on $MOUNT: down first"
  local of_clients='h1 h2 h3'
  case " $CLIENTS " in *' c1 c2 c3 '*) of_clients='c1 c2 c3' ;; esac
  SERVERS=${GLUSTER_SERVERS:-${SERVERS:-$of_clients}}
  read -ra servers <<<"$SERVERS"
  [ "${#servers[@]}" = 3 ] || die "three servers, not ${#servers[@]}"
  mkdir -p "$STATE"
  printf '%s\n' "MOUNT=$MOUNT" "SERVERS='$SERVERS'" >"$STATE/conf"
  for m in "${servers[@]}"; do if is_on "$m"; then start_glusterd "$m"; fi; done
  for m in "${servers[@]}"; do
    is_on "$m" || continue
    wait_until 100 gluster "$m" volume list || die "glusterd of $m does not answer: $(tail -n 3 "$STATE/$m/glusterd.log")"
  done
  grep -qx lab "$STATE/gluster.out" || make_volume
  for m in $HOSTS; do if is_on "$m"; then start_mount "$m"; fi; done
  for m in $HOSTS; do
    is_on "$m" || continue
    wait_until 100 mounted "$m" || die "$m did not mount: $(tail -n 3 "$STATE/$m.mount.glusterfs.log")"
    wait_until 50 answers "$m" || die "$m: $MOUNT does not answer"
  done
  echo "glusterfs: up on $MOUNT"
}

# Bricks and healers are children of glusterd, not of ours: found by our directory in their arguments.
brick_pids() { # MACHINE
  # shellcheck disable=SC2016
  on "$1" bash -c 'for p in /proc/[0-9]*; do
    tr "\0" " " <"$p/cmdline" 2>/dev/null | grep -qE "^[^ ]*glusterfsd? .*(-s|--volfile-server) .*(--brick-name|glustershd)" && echo "${p#/proc/}"
  done; true'
}
signal_bricks() { # SIGNAL
  local m pid
  for m in ${SERVERS:-}; do
    is_on "$m" || continue
    for pid in $(brick_pids "$m"); do on "$m" kill "-$1" "$pid" 2>/dev/null || true; done
  done
}

cmd_down() {
  local m
  load_conf || true
  if load_lab; then
    # First who would start the others.
    for m in ${SERVERS:-}; do if is_on "$m"; then signal "$m" glusterd KILL; fi; done
    signal_bricks KILL
    for m in ${SERVERS:-}; do
      is_on "$m" || continue
      on "$m" umount -l /var/lib/glusterd 2>/dev/null || true
      on "$m" umount -l /var/log/glusterfs 2>/dev/null || true
    done
  fi
  remove_all
  echo "glusterfs: down"
}

case ${1:-} in
  up) cmd_up "${@:2}" ;;
  down) cmd_down ;;
  status) print_status ;;
  hang | unhang)
    if ! load_lab || ! load_conf; then die "is down"; fi
    if [ -n "${2:-}" ]; then "$1_one" "$2"; elif [ "$1" = hang ]; then signal_bricks STOP; else signal_bricks CONT; fi
    ;;
  *) usage ;;
esac
