#!/usr/bin/env bash
# npm test: from a clean clone to a verdict. Installs what is missing, builds, checks, runs every test; the last line is
# "N passed, N failed, N skipped". Arguments are test files; without any, all under test/.
#   CFS_TEST_NO_APT=1   installs no system packages; what then cannot run is reported as skipped, with the reason
#   CFS_TEST_JOBS=N     test files that run at a time (default: one per processor)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
bash scripts/install.sh
bash scripts/install-tools.sh
npm run --silent build
exec node scripts/test.mjs "$@"
