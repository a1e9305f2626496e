#!/usr/bin/env bash
# Brings node_modules to what package-lock.json says, when it is missing or older. Needs node and npm only.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
if [[ ! -e node_modules/.package-lock.json || package-lock.json -nt node_modules/.package-lock.json ]]; then
  echo "Installing the packages that package-lock.json names (npm ci)" >&2
  npm ci --no-audit --no-fund
  touch node_modules/.package-lock.json
fi
