#!/bin/bash
# Disks that are full or read-only, damaged pages of the store, a clock that jumps by a day: see tests/torture/disasters.
command -v perl >/dev/null && perl -MHTTP::Tiny -MJSON::PP -e1 2>/dev/null || { echo "1..0 # SKIP there is no perl with its core modules"; exit 0; }
TORTURE=short exec "${BASH_SOURCE%/*}/../torture/disasters" "${TUTTI:-build/tutti}"
