#!/bin/sh
# A mount command for a client of cfs: mounts the NFS export of a volume on /srv/VOLUME.
# Copy it to /etc/cfs/mounts and name it in /etc/cfs/agent.json:
#   {"client": {"name": "c1", "driver": {"type": "command", "command": "/etc/cfs/mounts"}}}
#
#   mounts ro|rw VOLUME     0: it is mounted so; from rw to ro: all is written, and nothing can be written any more
#   mounts unmount VOLUME   0: it is not mounted
#   mounts mounted          a line "VOLUME ro" or "VOLUME rw" for each that is, whoever mounted it
#   mounts written VOLUME   a line that changes when the volume was written to; nothing: not known
#
# 75 means that programs use the volume; the last line names them. CFS_FORCE=1: they are to be ended.
set -eu

export_of='server:/export'
mounts=/srv

mode_of() { findmnt -n -o OPTIONS --mountpoint "$mounts/$1" | grep -q '^rw' && echo rw || echo ro; }

# Runs it; a mount that is in use is tried once more when its users were ended, if that is wished.
unless_busy() {
  "$@" && return
  [ "${CFS_FORCE:-0}" = 1 ] && fuser -k -TERM -M -m "$mounts/$volume" > /dev/null 2>&1 && sleep 1 && "$@" && return
  users=$(for pid in $(fuser -M -m "$mounts/$volume" 2> /dev/null); do
    ! [ -r "/proc/$pid/comm" ] || printf '%s (pid %s); ' "$(cat "/proc/$pid/comm")" "$pid"
  done)
  [ -n "$users" ] || exit 1
  echo "${users%; }" >&2
  exit 75
}

volume=${2:-}
case "${1:-}" in
  ro | rw)
    mkdir -p "$mounts/$volume"
    if mountpoint -q "$mounts/$volume"; then
      [ "$1 $(mode_of "$volume")" != 'rw rw' ] || exit 0
      unless_busy umount "$mounts/$volume"
    fi
    mount -t nfs -o "$1" "$export_of/$volume" "$mounts/$volume"
    ;;
  unmount)
    ! mountpoint -q "$mounts/$volume" || unless_busy umount "$mounts/$volume"
    ;;
  mounted)
    for dir in "$mounts"/*; do
      mountpoint -q "$dir" || continue
      echo "${dir##*/} $(mode_of "${dir##*/}")"
    done
    ;;
  written) ;;
  *)
    echo "usage: $0 ro|rw|unmount|written VOLUME, or mounted" >&2
    exit 64
    ;;
esac
