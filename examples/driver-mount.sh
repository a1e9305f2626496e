#!/bin/sh
# A driver for cfs agentd: mounts the file system labelled VOLUME on /srv/VOLUME while this node administers it.
# Copy it to /etc/cfs/driver and name it in /etc/cfs/agent.json: {"driver": {"type": "exec", "command": "/etc/cfs/driver"}}
#
#   driver start VOLUME   0: it is mounted, also when it was before
#   driver stop VOLUME    0: it is not mounted, for certain
#   driver running        a line "VOLUME EPOCH" for each that is mounted, whoever mounted it
#
# CFS_EPOCH is the fencing token: it rises with each change of owner. It is kept beside the mount point and not on the volume,
# because it must be known while the volume is not there.
set -eu

mounts=/srv
state=/run/cfs-driver

epoch_file() { printf '%s/%s' "$state" "$1"; }

case "${1:-}" in
  start)
    mkdir -p "$state" "$mounts/$2"
    printf '%s\n' "$CFS_EPOCH" > "$(epoch_file "$2")"
    mountpoint -q "$mounts/$2" || mount "LABEL=$2" "$mounts/$2"
    ;;
  stop)
    # Whoever still works there is ended: nothing may be written when this has returned 0.
    if mountpoint -q "$mounts/$2"; then
      fuser -k -m "$mounts/$2" > /dev/null 2>&1 || true
      umount "$mounts/$2"
    fi
    rm -f "$(epoch_file "$2")"
    ;;
  running)
    for dir in "$mounts"/*; do
      mountpoint -q "$dir" || continue
      name=${dir##*/}
      # Mounted by somebody else: epoch 0, so that the agent stops it and starts it anew.
      printf '%s %s\n' "$name" "$(cat "$(epoch_file "$name")" 2> /dev/null || echo 0)"
    done
    ;;
  *)
    echo "usage: $0 start|stop VOLUME, or running" >&2
    exit 64
    ;;
esac
