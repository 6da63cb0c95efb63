#!/bin/bash
# The torture of two that race, interrupted: its processes, their clouds and its folder go with it.
command -v perl >/dev/null && perl -MHTTP::Tiny -MJSON::PP -e1 2>/dev/null || { echo "1..0 # SKIP there is no perl with its core modules"; exit 0; }
. "${BASH_SOURCE%/*}/engine.sh"
mkdir "$WORK/tmp"
left() { # processes that have a file below the folder open, or work there
        find /proc/[0-9]*/fd /proc/[0-9]*/cwd -maxdepth 1 -lname "$WORK/tmp/*" 2>/dev/null | cut -d/ -f3 | sort -u | wc -l
}
for signal in TERM INT; do
        TMPDIR=$WORK/tmp setsid "$HERE/tests/torture/race" "$TUTTI" 400 >"$WORK/out" 2>&1 &
        RACE=$!
        for ((i = 0; i < 1200; i++)); do ls "$WORK"/tmp/*/race.0/.tutti >/dev/null 2>&1 && break; sleep 0.05; done
        [ "$(left)" -gt 1 ]; ok $? "races go on, in clouds of their own"
        kill -$signal $RACE
        wait $RACE
        is $? 1 "SIG$signal ends them"
        is "$(ls "$WORK/tmp")" "" "with the folder"
        for ((i = 0; i < 200; i++)); do [ "$(left)" = 0 ] && break; sleep 0.05; done
        is "$(left)" 0 "and all that they started"
done
finish
