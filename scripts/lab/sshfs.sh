#!/usr/bin/env bash
#
# sshfs.sh - sshfs in the lab: the file system that `cfs doctor` must refuse. An sshd in h1, a mount in every host.
#
#   sshfs.sh up [DIR]        build, and mount at DIR in every host (default /mnt/cfs-lab-NAME); no-op if it is up
#   sshfs.sh down            remove everything, also after a partial up
#   sshfs.sh status          rc 0 up and answering, 1 something is missing, 3 down
#   sshfs.sh hang [HOST]     the directory hangs: in HOST alone (its storage port b0 is pulled), or everywhere (the servers stop)
#   sshfs.sh unhang [HOST]   ends that
#
# The server has host and user keys of its own, listens on its lab address only, and takes nothing but SFTP.
# Environment: NETLAB (path of netlab.sh), NETLAB_NAME, NETLAB_DIR as there; SSHFS_SERVER  machine of sshd (default h1).
# Needs: a lab that is up; root. Packages: sshfs openssh-server openssh-client.

FS=sshfs
# shellcheck source=scripts/lab/shared-fs.sh
. "$(dirname "${BASH_SOURCE[0]}")/shared-fs.sh"

start_sshd() {
  local d=$STATE/server
  if alive "$SERVER" sshd >/dev/null; then return; fi
  mkdir -p "$d/data"
  chmod 700 "$d"
  [ -e "$d/host_key" ] || ssh-keygen -q -t ed25519 -N '' -f "$d/host_key"
  [ -e "$d/user_key" ] || ssh-keygen -q -t ed25519 -N '' -f "$d/user_key"
  cp "$d/user_key.pub" "$d/authorized_keys"
  echo "[$(address "$SERVER")]:2022 $(cut -d' ' -f1,2 "$d/host_key.pub")" >"$d/known_hosts"
  cat >"$d/sshd_config" <<END
Port 2022
ListenAddress $(address "$SERVER")
HostKey $d/host_key
AuthorizedKeysFile $d/authorized_keys
PidFile none
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
StrictModes no
Subsystem sftp internal-sftp
ForceCommand internal-sftp
END
  on "$SERVER" mkdir -p /run/sshd
  daemon "$SERVER" sshd /usr/sbin/sshd -D -e -f "$d/sshd_config"
}

start_mount() { # HOST
  local d=$STATE/server
  if mounted "$1"; then return; fi
  on "$1" mkdir -p "$MOUNT"
  daemon "$1" mount sshfs -f -p 2022 -F /dev/null -o "IdentityFile=$d/user_key,UserKnownHostsFile=$d/known_hosts" \
    -o StrictHostKeyChecking=yes,BatchMode=yes "root@$(address "$SERVER"):$d/data" "$MOUNT"
}

# shellcheck disable=SC2016
listens() { on "$SERVER" bash -c ': </dev/tcp/"$0"/2022' "$(address "$SERVER")" 2>/dev/null; }

cmd_up() {
  local m
  needs sshfs sshfs
  needs sshd openssh-server
  needs ssh-keygen openssh-client
  load_lab || die "the lab is down: $NETLAB up"
  load_conf || MOUNT=${1:-$MOUNT}
  [ "${1:-$MOUNT}" = "$MOUNT" ] || die "is up on $MOUNT: down first"
  SERVER=${SSHFS_SERVER:-${SERVER:-h1}}
  mkdir -p "$STATE"
  printf '%s\n' "MOUNT=$MOUNT" "SERVER=$SERVER" >"$STATE/conf"
  start_sshd
  wait_until 50 listens || die "sshd does not listen: $(tail -n 3 "$STATE/$SERVER.sshd.log")"
  for m in $HOSTS; do if is_on "$m"; then start_mount "$m"; fi; done
  for m in $HOSTS; do
    is_on "$m" || continue
    wait_until 50 mounted "$m" || die "$m did not mount: $(tail -n 3 "$STATE/$m.mount.log")"
    wait_until 50 answers "$m" || die "$m: $MOUNT does not answer"
  done
  echo "sshfs: up on $MOUNT"
}

# sshd and what it has started for each mount, which carry its name and no arguments of ours.
server_pids() {
  # shellcheck disable=SC2016
  on "$SERVER" bash -c 'walk() { local k; echo "$1"; for k in $(cat "/proc/$1/task/$1/children" 2>/dev/null); do walk "$k"; done; }
    walk "$1"' - "$(alive "$SERVER" sshd)" 2>/dev/null || true
}
signal_server() { # SIGNAL
  local pid
  for pid in $(server_pids); do on "$SERVER" kill "-$1" "$pid" 2>/dev/null || true; done
}

cmd_down() {
  load_conf || true
  if [ -n "${SERVER:-}" ] && load_lab && is_on "$SERVER"; then signal_server KILL; fi
  remove_all
  echo "sshfs: down"
}

case ${1:-} in
  up) cmd_up "${@:2}" ;;
  down) cmd_down ;;
  status) print_status ;;
  hang | unhang)
    if ! load_lab || ! load_conf; then die "is down"; fi
    if [ -n "${2:-}" ]; then "$1_one" "$2"; elif [ "$1" = hang ]; then signal_server STOP; else signal_server CONT; fi
    ;;
  *) usage ;;
esac
