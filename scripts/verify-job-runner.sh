#!/bin/sh
# Verify the outbound runner of the installation at a domain. CRON_SECRET and JOB_RUNNER_TOKEN are its tokens.
set -eu

if [ $# -ne 1 ]; then
    echo "Usage: CRON_SECRET=... JOB_RUNNER_TOKEN=... $0 DOMAIN" >&2
    exit 2
fi
here="$(cd "$(dirname "$0")/.." && pwd)"
if [ -x "$here/.venv/bin/python" ]; then
    exec "$here/.venv/bin/python" -m callboard.cli.main doctor --url "$1"
fi
exec callboard doctor --url "$1"
