#!/usr/bin/env bash
# npm start: from a clean clone to a running cluster. Installs what is missing, builds, and runs the demonstration.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
bash scripts/install.sh
npm run --silent build
exec bash scripts/demo.sh "$@"
