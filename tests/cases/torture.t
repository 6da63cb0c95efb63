#!/bin/bash
# A sample of `make torture`: commands fail and die at fault points, under clouds of three kinds that lose replies and hide objects.
command -v perl >/dev/null && perl -MHTTP::Tiny -MJSON::PP -e1 2>/dev/null || { echo "1..0 # SKIP there is no perl with its core modules"; exit 0; }
TORTURE=short exec "${BASH_SOURCE%/*}/../torture/run" "${TUTTI:-build/tutti}"
