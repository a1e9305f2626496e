/** A driver as an administrator may write one (driver `command`): bind mounts in a few lines of shell. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface CommandDriverOptions {
  /** Directory of the client; mount points are below `mnt`. */
  base: string;
  /** Where the volumes lie, one directory each. */
  sources: string;
  /** As long as this file exists, a step waits before it changes anything: the place to kill somebody. */
  holdFile?: string;
  /** It says that a mount is read-only, also when it is asked, and leaves it as it is: what a checker must notice. */
  lies?: boolean;
}

/**
 * Busy are mounts with a file open for writing; with CFS_FORCE=1 those programs are killed, found by the mount's number in
 * /proc/PID/fdinfo. Its answers are those that cfs documents: exit 75 for busy, `VOLUME ro|rw` lines for `mounted`.
 */
function scriptOf({ base, sources, holdFile = '', lies = false }: CommandDriverOptions): string {
  return `#!/bin/sh
# ro|rw|unmount|mounted|written [VOLUME]
at='${base}/mnt'/$CFS_VOLUME
from='${sources}'/$CFS_VOLUME
number() { while read -r id _ _ _ where _; do [ "$where" = "$at" ] && n=$id; done </proc/self/mountinfo; echo "$n"; }
holders() {
  id=$(number)
  [ -n "$id" ] && grep -ls "^mnt_id:[[:space:]]*$id$" /proc/[0-9]*/fdinfo/* | cut -d/ -f3 | sort -u
}
modes() {
  while read -r _ _ _ _ where how _; do
    case $where in '${base}/mnt/'*) case ,$how, in *,ro,*) echo "\${where##*/} ro" ;; *) echo "\${where##*/} rw" ;; esac ;; esac
  done </proc/self/mountinfo
}
mounted() { modes | grep -q "^$CFS_VOLUME "; }
hold() { while [ -n '${holdFile}' ] && [ -e '${holdFile}' ]; do sleep 0.02; done; }
busy() { echo "$CFS_VOLUME is busy: process $(holders | tr '\\n' ' ')"; exit 75; }
change() {
  hold
  "$@" 2>/dev/null && return
  [ "$CFS_FORCE" = 1 ] || busy
  for pid in $(holders); do kill -9 "$pid"; done
  sleep 0.05
  "$@" || exit 1
}
case $1 in
  mounted) ${lies ? `modes | while read -r v m; do echo "$v $(cat '${base}/told.'"$v" 2>/dev/null || echo "$m")"; done` : 'modes'} ;;
  written) ;;
  unmount) if mounted; then change umount "$at"; fi ;;
  ro|rw)
    ${lies ? `echo "$1" >'${base}/told.'"$CFS_VOLUME"; [ "$1" = rw ] || { mounted && exit 0; }` : ''}
    mounted || mount --bind "$from" "$at" || exit 1
    change mount -o "remount,bind,$1" "$at" ;;
esac
`;
}

/** Writes the script. @returns the `driver` of the client's configuration */
export function commandDriverOf(options: CommandDriverOptions): { type: 'command'; command: string; timeout: string } {
  const command = join(options.base, 'mounts');
  writeFileSync(command, scriptOf(options), { mode: 0o755 });
  return { type: 'command', command, timeout: '20s' };
}
