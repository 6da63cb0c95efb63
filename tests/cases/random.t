#!/bin/bash
# Stories of `make random` that broke a rule once, played again (tests/random/seeds).
command -v perl >/dev/null && perl -MHTTP::Tiny -MJSON::PP -e1 2>/dev/null || { echo "1..0 # SKIP there is no perl with its core modules"; exit 0; }
HERE="${BASH_SOURCE%/*}/../random"
exec "$HERE/run" "${TUTTI:-build/tutti}" "$HERE/seeds"
