#!/usr/bin/env bash
# The system programs that some tests need. As root on Debian they are installed, saying so; elsewhere they are only
# named, and the tests that need them are skipped with the reason.
set -euo pipefail

# program=package
TOOLS=(strace=strace mandoc=mandoc expect=expect zsh=zsh fish=fish mkfs.xfs=xfsprogs mkfs.btrfs=btrfs-progs cc=gcc
  promtool=prometheus ip=iproute2 nsenter=util-linux systemd-analyze=systemd)

missing=()
for tool in "${TOOLS[@]}"; do
  PATH="$PATH:/usr/sbin:/sbin" command -v "${tool%%=*}" >/dev/null || missing+=("${tool#*=}")
done
[[ -e /usr/share/bash-completion/bash_completion ]] || missing+=(bash-completion)
((${#missing[@]})) || exit 0

if [[ ${CFS_TEST_NO_APT:-} == 1 ]]; then
  echo "Not installed, as CFS_TEST_NO_APT=1 asks: ${missing[*]}; tests that need them are skipped" >&2
elif [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null; then
  echo "Installing the system packages that tests need: ${missing[*]} (CFS_TEST_NO_APT=1 forbids it)" >&2
  export DEBIAN_FRONTEND=noninteractive
  if ! { apt-get update -q && apt-get install -q -y --no-install-recommends "${missing[@]}"; } >/tmp/cfs-apt.$$.log 2>&1; then
    echo "They could not be installed; tests that need them are skipped. The end of what apt-get said:" >&2
    tail -n 5 "/tmp/cfs-apt.$$.log" >&2
  fi
  rm -f "/tmp/cfs-apt.$$.log"
else
  echo "Missing: ${missing[*]}; tests that need them are skipped (root on Debian installs them)" >&2
fi
